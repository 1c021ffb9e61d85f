use super::*;

fn order(lines: &str) -> Vec<Vec<String>> {
    let universe = universe(&[("stable", lines)]);
    let records: Vec<_> = universe.packages().iter().collect();
    let name = |place: usize| records[place].name.clone();
    install_order(&records).into_iter().map(|group| group.into_iter().map(name).collect()).collect()
}

#[test]
fn what_is_needed_comes_first() {
    assert_eq!(order("a 1 Depends: b\n b 1 Pre-Depends: c\n c 1"), [["c"], ["b"], ["a"]]);
    assert_eq!(order("a 1 Depends: v\n b 1 Provides: v"), [["b"], ["a"]]);
    assert_eq!(
        order("a 1 Depends: b (>= 2)\n b 1"),
        [["a"], ["b"]],
        "a version that does not fit is not needed"
    );
}

#[test]
fn circles_stay_together_with_pre_depends_first() {
    assert_eq!(
        order("a 1 Pre-Depends: b\n b 1 Depends: a, c\n c 1\n d 1 Depends: a"),
        [vec!["c"], vec!["b", "a"], vec!["d"]]
    );
}

#[test]
fn what_has_no_order_keeps_its_place() {
    assert_eq!(order("b 1\n a 1\n c 1"), [["b"], ["a"], ["c"]]);
}
