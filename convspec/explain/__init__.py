"""What convspec knows about a layer or an error, said to a reader: the pages of docs/layers and of `convspec explain`."""
