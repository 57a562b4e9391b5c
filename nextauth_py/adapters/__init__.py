"""The session in the words of other libraries. Each module here needs the library that it is named after."""
