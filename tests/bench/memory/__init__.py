"""How much memory master and controller take as objects change and offers come and go."""
