"""What operators install: the wheel, the image, the Compose file, the units and the Kubernetes objects."""
