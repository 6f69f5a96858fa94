"""The demo's state: synthetic people, pharmacies and files; the same for one seed.

`cast` makes the people, `stories` their fills with what is planted among them,
`roster_files` and `submission_files` write them down in the forms in which the
Department and pharmacies send theirs. Loading them through the real path is the
`demo` command's part.
"""
