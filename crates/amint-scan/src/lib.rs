//! Rules: what is judged on a file tree, and how it is mended.
