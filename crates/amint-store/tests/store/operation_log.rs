//! The operation log: intent before, result after, nothing ever changed (requirement B5).

use amint_store::{OperationState, Outcome, Store, StoreError};
use amint_types::Cancel;
use rusqlite::Connection;
use serde_json::json;

use super::child;
use super::support::{Disk, Scene, put, reference};

#[test]
fn tells_puts_removals_and_collections_the_last_first() {
    let scene = Scene::new();
    let digest = scene.put("web:1", &[1]).record.digest;
    scene.put("web:1", &[1]);
    scene.store.remove(&reference("web")).unwrap();
    scene.store.gc(false, &Cancel::new()).unwrap();
    let log = scene.store.operations(None).unwrap();
    let told: Vec<_> = log.iter().map(|entry| (entry.kind.as_str(), entry.subject.as_str())).collect();
    assert_eq!(told, [("gc", "store"), ("remove", "web:1"), ("put", "web:1"), ("put", "web:1")]);
    assert!(log.iter().all(|entry| entry.state == OperationState::Succeeded), "{log:#?}");
    let result = |place: usize| log[place].result.clone().unwrap();
    assert_eq!(result(0)["blocks_removed"], 1);
    assert_eq!(result(2)["unchanged"], true);
    assert_eq!(result(3)["unchanged"], false);
    assert_eq!(result(3)["digest"], digest.to_string());
    assert_eq!(log[3].intent["architecture"], "x86_64");
    assert_eq!(scene.store.operations(Some(2)).unwrap(), log[..2]);
}

#[test]
fn looking_leaves_no_trace() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    scene.store.gc(true, &Cancel::new()).unwrap();
    scene.store.check(&|_, _| {}, &Cancel::new()).unwrap();
    assert_eq!(scene.store.operations(None).unwrap().len(), 1);
}

#[test]
fn a_failure_is_told_with_its_causes() {
    let scene = Scene::new();
    let cancel = Cancel::new();
    let progress = |_, _| cancel.cancel();
    let request = super::support::request("web:1");
    scene.store.put(&request, &Disk::new((1..20).collect::<Vec<_>>()), &progress, &cancel).unwrap_err();
    let log = scene.store.operations(None).unwrap();
    assert_eq!(log[0].state, OperationState::Failed);
    assert_eq!(log[0].result.as_ref().unwrap()["error"], "interrupted");
}

#[test]
fn other_rooms_write_their_own_operations_and_end_each_once() {
    let scene = Scene::new();
    let id = scene.store.begin("publish", "web:1", &json!({ "region": "eu-west-1" })).unwrap();
    let open = &scene.store.operations(None).unwrap()[0];
    assert_eq!((open.id, open.state, &open.result), (id, OperationState::Running, &None));
    scene.store.finish(id, Outcome::Failed, &json!({ "error": "throttled" })).unwrap();
    let again = scene.store.finish(id, Outcome::Succeeded, &json!({})).unwrap_err();
    assert!(matches!(again, StoreError::OperationNotOpen { .. }), "{again:?}");
    let ended = &scene.store.operations(None).unwrap()[0];
    assert_eq!(ended.state, OperationState::Failed);
    assert_eq!(ended.result, Some(json!({ "error": "throttled" })));
    assert!(ended.finished_at.unwrap() >= ended.started_at);
}

#[test]
fn the_database_itself_refuses_to_change_the_log() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let connection = Connection::open(scene.root().join("catalogue.sqlite")).unwrap();
    for statement in [
        "UPDATE operation SET subject = 'other:1'",
        "DELETE FROM operation",
        "INSERT OR REPLACE INTO operation VALUES (1, 'put', 'other:1', '{}', '', '2026-01-01T00:00:00Z')",
        "UPDATE operation_result SET outcome = 'failed'",
        "DELETE FROM operation_result",
        "INSERT OR REPLACE INTO operation_result VALUES (1, 'failed', '{}', '2026-01-01T00:00:00Z')",
    ] {
        let error = connection.execute(statement, []).unwrap_err();
        assert_eq!(error.to_string(), "the operation log only grows", "{statement}");
    }
    assert_eq!(scene.store.operations(None).unwrap()[0].subject, "web:1");
}

#[test]
fn an_operation_whose_process_was_killed_shows_as_interrupted() {
    let scene = Scene::new();
    let status = child::spawn("operation_log::child_killed_in_a_put", &scene.root(), 0).wait().unwrap();
    assert!(!status.success(), "the child was killed");
    let log = scene.store.operations(None).unwrap();
    assert_eq!((log[0].kind.as_str(), log[0].state), ("put", OperationState::Interrupted));
    assert_eq!(log[0].result, None);
    assert!(scene.store.images(true).unwrap().is_empty());
    put(&scene.store, "web:1", &Disk::new([1, 2, 3])).unwrap();
}

#[test]
#[ignore = "the child of another test"]
fn child_killed_in_a_put() {
    let Some((root, _)) = child::task() else { return };
    let store = Store::open(&root).unwrap();
    let progress = |_, _| {
        let this = rustix::process::getpid();
        rustix::process::kill_process(this, rustix::process::Signal::KILL).unwrap();
    };
    let request = super::support::request("web:1");
    let _ = store.put(&request, &Disk::new([1, 2, 3]), &progress, &Cancel::new());
}
