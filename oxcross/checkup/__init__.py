"""What ``oxcross doctor`` looks at besides tools and engines: the machine, the network, and what a project asks for."""
