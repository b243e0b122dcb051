"""Scripts that solve an instance with another library, each in a process of its own."""
