"""Pictures of networks: what is to be drawn, its layout, and the forms that it is written in."""
