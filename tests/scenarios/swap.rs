//! Replacing a provider under load: nothing fails, nothing mixes, nothing stays behind.

use crate::probe_host;
use kosmo::Invocation;
use kosmo_tests::{Echo, probe, probe_revision_two};
use serde_json::Map;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SWAPS: usize = 1_000;
const TASKS: usize = 16;

#[test]
fn sixteen_tasks_invoke_without_pause_while_a_provider_is_replaced_a_thousand_times() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let host = {
        let _inside = runtime.enter();
        probe_host(&Echo::start())
    };
    let (done, answers) = (Arc::new(AtomicBool::new(false)), Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]));
    runtime.block_on(async {
        host.registry().provider("probe").await.expect("the probe");
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..TASKS {
            let (host, done, answers) = (host.clone(), Arc::clone(&done), Arc::clone(&answers));
            tasks.spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let described = host.registry().provider("probe").await.expect("a revision");
                    let answer = described_invoke(&host).await;
                    let which = usize::from(answer.contains("revision-two"));
                    assert!(answer == r#"{"revision":"revision-one"}"# || answer == r#"{"revision":"revision-two"}"#);
                    assert!(["revision-one", "revision-two"].contains(&described.description().summary.as_str()));
                    answers[which].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let revisions = [probe_revision_two(), probe()];
        for turn in 0..SWAPS {
            let revision = host.registry().replace("probe", revisions[turn % 2].clone()).await.expect("a revision");
            let expected = ["revision-two", "revision-one"][turn % 2];
            // Code and description are one: what describes itself as a revision answers as that revision.
            assert_eq!(revision.description().summary, expected);
            tokio::task::yield_now().await;
        }
        done.store(true, Ordering::Relaxed);
        while let Some(task) = tasks.join_next().await {
            task.expect("no invocation failed");
        }
    });
    assert!(answers.iter().all(|count| count.load(Ordering::Relaxed) > 0), "both revisions answered");
    let pool = host.engine().wasmtime().expect("an engine").pooling_allocator_metrics().expect("a pool");
    assert_eq!((pool.component_instances(), pool.memories()), (0, 0));
}

async fn described_invoke(host: &kosmo::Host) -> String {
    host.invoke(Invocation::new("probe", "revision", Map::new())).await.expect("an answer")
}

#[test]
fn a_revision_that_cannot_be_loaded_changes_nothing() {
    let host = probe_host(&Echo::start());
    host.block_on(async {
        host.registry().provider("probe").await.expect("the probe");
        let fault = host.registry().replace("probe", b"not a component".to_vec()).await.expect_err("refused");
        assert!(fault.message.contains("not a component"), "{fault}");
        assert!(described_invoke(&host).await.contains("revision-one"));
        assert!(host.registry().remove("probe"));
        host.invoke(Invocation::new("probe", "revision", Map::new())).await.expect_err("gone");
    });
}

#[test]
fn a_file_that_is_loaded_late_does_not_undo_a_replacement() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    for _ in 0..20 {
        let host = runtime.block_on(async { probe_host(&Echo::start()) });
        let loading = {
            let host = host.clone();
            runtime.spawn(async move { host.registry().provider("probe").await })
        };
        runtime.block_on(async {
            host.registry().replace("probe", probe_revision_two()).await.expect("a revision");
            loading.await.expect("no panic").expect("the file");
            assert_eq!(
                host.registry().provider("probe").await.expect("a revision").description().summary,
                "revision-two"
            );
        });
    }
}
