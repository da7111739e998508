"""What a model costs on this machine, in figures that can be put beside another machine's."""
