"""What the five main modules share: settings, processes, loops."""
