"""What a release consists of: the image with its digest, the chart that names it, a list of contents, checksums."""
