//! Every script under `examples/` runs as its first lines say.

use super::kosmo;
use kosmo_tests::Scenario;
use std::path::{Path, PathBuf};

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = std::fs::read_dir(folder).expect("the examples").map(|entry| entry.expect("a file").path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "lua")).collect()
}

#[test]
fn every_example_runs_with_and_without_permission_to_write() {
    let files = examples();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let scenario = Scenario::new();
        let (path, name) = (file.to_str().expect("UTF-8"), file.file_name().expect("a name").to_string_lossy());
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        assert!(
            text.contains(&format!("-- Run it:  kosmo integrations:lua examples/{name}")),
            "{name} says how to run it"
        );
        let ran = kosmo(&scenario, &["integrations:lua", path]);
        assert!(ran.code == 0 && ran.stderr.is_empty() && ran.stdout.lines().count() >= 3, "{name}: {ran:?}");
        assert_eq!(scenario.simulator.sms_sent().len(), 0, "{name} writes only if it may");
        let forced = kosmo(&scenario, &["integrations:lua", path, "--force", "--json"]);
        assert_eq!((forced.code, &forced.json()["success"]), (0, &true.into()), "{name}: {forced:?}");
        let refused = scenario.simulator.requests().into_iter().find_map(|sent| sent.refused);
        assert_eq!(refused, None, "{name} asks only what the providers document");
    }
}
