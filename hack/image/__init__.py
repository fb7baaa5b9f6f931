"""Container images made without a registry and without a container engine.

`python3 hack/image build` writes three docker-archives: a pause image for the kubelet, a busybox for
tests, and Tender's own image. `docker load`, `podman load`, `kind load image-archive` and `ctr images
import` read them. Standard library only. The way through it: cli → pause, busybox, operator_image →
archive.
"""
