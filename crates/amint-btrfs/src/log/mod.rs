//! The log: what programs have synced since the last commit, replayed in memory.
//!
//! Each subvolume may have a log tree, which holds inodes with all or part of their items in the same form as the tree
//! of the subvolume itself. The kernel merges them when it mounts (`fs/btrfs/tree-log.c` says in which order); here
//! the result stands as an overlay before the tree.

mod extents;
mod gather;
mod names;
mod replay;

pub(crate) use gather::replay;
