"""Container images made without a registry and without a container engine.

`python3 hack/image build` writes docker-archives: a pause image for the kubelet, a busybox for tests,
Tender's own image and, if it is asked for, one of ZooKeeper. `docker load`, `podman load`, `kind load
image-archive` and `ctr images import` read them. Standard library only. The way through it: cli → small,
operator_image, zookeeper_image → archive.
"""
