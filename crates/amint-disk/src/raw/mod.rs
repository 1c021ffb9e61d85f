//! Raw disk files with holes.
