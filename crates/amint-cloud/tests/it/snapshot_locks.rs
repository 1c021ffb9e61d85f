//! Locks that keep snapshots from being deleted.

use crate::support::{Bench, DAY};

#[test]
fn a_lock_of_governance_can_be_changed_and_taken_back() {
    let (bench, time) = Bench::timed();
    let id = bench.free_snapshot(&time);
    let lock = |more: &str| format!("LockSnapshot&SnapshotId={id}&LockMode=governance&{more}");
    let delete = format!("DeleteSnapshot&SnapshotId={id}");
    let answer = bench.did(&lock("LockDuration=2"));
    assert_eq!(
        (answer.one("lockState"), answer.one("lockDuration")),
        ("governance".to_owned(), "2".to_owned())
    );
    assert_eq!(bench.refused(&delete), "OperationNotPermitted");
    assert_eq!(bench.did(&lock("LockDuration=1")).one("lockDuration"), "1", "it can be made shorter");
    time.pass(DAY);
    let listed = bench.did("DescribeLockedSnapshots&Filter.1.Name=lock-state&Filter.1.Value.1=expired");
    assert_eq!(listed.one("snapshotId"), id);
    let unlock = format!("UnlockSnapshot&SnapshotId={id}");
    assert_eq!(bench.refused(&unlock), "IncorrectState");
    bench.did(&lock("ExpirationDate=2027-01-20T08:00:00.000Z"));
    assert_eq!(bench.did("DescribeLockedSnapshots").one("lockExpiresOn"), "2027-01-20T08:00:00.000Z");
    assert_eq!(bench.did(&unlock).one("snapshotId"), id);
    assert!(bench.did("DescribeLockedSnapshots").all("snapshotId").is_empty());
    bench.did(&delete);
}

#[test]
fn a_lock_of_compliance_can_only_be_extended_after_its_cool_off() {
    let (bench, time) = Bench::timed();
    let id = bench.free_snapshot(&time);
    let lock = |more: &str| format!("LockSnapshot&SnapshotId={id}&{more}");
    let compliance = |more: &str| lock(&format!("LockMode=compliance&{more}"));
    let unlock = format!("UnlockSnapshot&SnapshotId={id}");
    assert_eq!(
        bench.did(&compliance("LockDuration=3&CoolOffPeriod=2")).one("lockState"),
        "compliance-cooloff"
    );
    bench.did(&unlock);
    bench.did(&compliance("LockDuration=3&CoolOffPeriod=2"));
    time.pass(2 * 3600);
    assert_eq!(bench.did("DescribeLockedSnapshots").one("lockState"), "compliance");
    for body in [
        unlock.clone(),
        compliance("LockDuration=2"),
        compliance("LockDuration=4&CoolOffPeriod=1"),
        lock("LockMode=governance&LockDuration=9"),
        format!("DeleteSnapshot&SnapshotId={id}"),
    ] {
        assert_eq!(bench.refused(&body), "OperationNotPermitted", "{body}");
    }
    assert_eq!(bench.did(&compliance("LockDuration=4")).one("lockDuration"), "4");
    time.pass(4 * DAY);
    bench.did(&format!("DeleteSnapshot&SnapshotId={id}"));
}

#[test]
fn wrong_locks_are_refused() {
    let bench = Bench::new(true);
    let id = bench.snapshot_id();
    for (more, code) in [
        ("LockMode=none&LockDuration=1", "InvalidParameterValue"),
        ("LockMode=governance", "InvalidParameterCombination"),
        ("LockMode=governance&LockDuration=0", "InvalidParameterValue"),
        ("LockMode=governance&LockDuration=1&CoolOffPeriod=1", "InvalidParameterCombination"),
        ("LockMode=compliance&LockDuration=1&CoolOffPeriod=73", "InvalidParameterValue"),
        ("LockMode=governance&ExpirationDate=2020-01-01T00:00:00Z", "InvalidParameterValue"),
        (
            "LockMode=governance&LockDuration=1&ExpirationDate=2099-01-01T00:00:00Z",
            "InvalidParameterCombination",
        ),
        ("LockDuration=1", "MissingParameter"),
    ] {
        assert_eq!(bench.refused(&format!("LockSnapshot&SnapshotId={id}&{more}")), code, "{more}");
    }
    assert_eq!(
        bench.refused("LockSnapshot&SnapshotId=snap-00000000&LockMode=governance&LockDuration=1"),
        "InvalidSnapshot.NotFound"
    );
    assert_eq!(
        bench
            .ec2(&format!(
                "Action=LockSnapshot&SnapshotId={id}&LockMode=governance&LockDuration=1&DryRun=true"
            ))
            .code()
            .0,
        412
    );
    assert!(bench.did("DescribeLockedSnapshots").all("snapshotId").is_empty());
}
