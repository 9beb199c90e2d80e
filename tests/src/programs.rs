//! The programs under test, built as a person would build them.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Builds the binaries of the workspace (nothing to do when they are up to date) and says where one is.
pub fn binary(name: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cargo = Command::new(env!("CARGO"));
    // With a test among them, dependencies have the features that they have in `cargo test`: otherwise
    // all of them would be built a second time.
    cargo.args(["build", "--quiet", "--workspace", "--bins", "--test", "fence"]);
    // What `cargo test` tells this program about its package, ring's build script would take for news of
    // its own: all that needs TLS would be built again, and once more by the next `cargo test`.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo");
    assert!(built.success(), "{name} does not build");
    // A test stands in target/debug/deps, the programs beside that folder.
    let this = std::env::current_exe().expect("this program");
    let folder = this.parent().expect("a target folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("a target folder") } else { folder };
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing", path.display());
    path
}
