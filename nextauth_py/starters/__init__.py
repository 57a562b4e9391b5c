"""The command `nextauth-py new`, and the templates of the sites that it writes.

`shared` and `node` have the files that several of them need. No template is imported from here.
"""
