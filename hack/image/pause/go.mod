module tender.dev/hack/image/pause

go 1.21
