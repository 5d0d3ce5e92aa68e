"""Where targets find the writing of files; the code is in `convspec/files.py`, below every package that writes."""

from convspec.files import Content, staged, write_file, write_files

__all__ = ["Content", "staged", "write_file", "write_files"]
