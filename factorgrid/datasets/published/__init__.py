"""Published data sets: readers of the files that their authors publish, and the way to get these files.

Contract: a reader `load_<name>(root, *, resident, ...)` gives a table of images with the authors' factors, and
raises an Error that says what to do when files are missing or damaged; `FILES` says where they come from, with
checksums where those are published. May import: the machinery of `datasets` (tables, indices, npz, prepare), the
factor spaces of the rendered twins, `files`, `progress`, `errors`.
To add one: write a reader, and give it an entry in `factorgrid.datasets.DATASETS`.
"""
