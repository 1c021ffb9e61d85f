//! The same tree gives the same bytes, however it came about.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::support::{Bench, EPOCH, MIB, has_same_bytes, make_nasty_tree, options, set_mtime, write};

#[test]
fn the_same_tree_twice_gives_the_same_bytes() {
    let bench = Bench::new();
    make_nasty_tree(&bench.tree());
    let second = bench.path("second");
    write(&bench.tree(), &bench.image(), 0, &options(200 * MIB)).unwrap();
    write(&bench.tree(), &second, 0, &options(200 * MIB)).unwrap();
    assert!(has_same_bytes(&bench.image(), &second, 0));
}

/// Makes a tree with the numbers in an order; what the host makes of the order must not show.
fn make_tree(root: &Path, order: impl Iterator<Item = usize>) {
    for number in order {
        let directory = root.join(format!("directory-{}", number % 7));
        fs::create_dir_all(&directory).unwrap();
        match number % 5 {
            0 => fs::create_dir(directory.join(format!("{number}"))).unwrap(),
            1 => symlink(format!("{number}"), directory.join(format!("{number}"))).unwrap(),
            _ => fs::write(directory.join(format!("{number}")), vec![b'x'; number * 7]).unwrap(),
        }
    }
    // Two names of one file, of which either may come first.
    let (one, other) = (root.join("directory-2/2"), root.join("directory-0/hard"));
    let _ = fs::remove_file(&other);
    fs::hard_link(one, other).unwrap();
}

#[test]
fn the_order_in_which_a_tree_was_made_leaves_no_trace() {
    let (first, second) = (Bench::new(), Bench::new());
    make_tree(&first.tree(), 0..900);
    // Steps of 7 visit all numbers below 900 in another order.
    make_tree(&second.tree(), (0..900).map(|step| (step * 7 + 13) % 900));
    write(&first.tree(), &first.image(), 0, &options(64 * MIB)).unwrap();
    write(&second.tree(), &second.image(), 0, &options(64 * MIB)).unwrap();
    assert!(has_same_bytes(&first.image(), &second.image(), 0));
}

#[test]
fn times_after_the_epoch_and_fractions_of_seconds_leave_no_trace() {
    let bench = Bench::new();
    let file = bench.tree().join("file");
    fs::write(&file, b"same").unwrap();
    let mut images = Vec::new();
    for seconds in [EPOCH, EPOCH + 1, EPOCH + 1_000_000_000, EPOCH - 1] {
        set_mtime(&file, seconds);
        let image = bench.path(&format!("image-{seconds}"));
        write(&bench.tree(), &image, 0, &options(16 * MIB)).unwrap();
        images.push(image);
    }
    assert!(has_same_bytes(&images[0], &images[1], 0));
    assert!(has_same_bytes(&images[0], &images[2], 0));
    assert!(!has_same_bytes(&images[0], &images[3], 0), "an older time is kept");
}
