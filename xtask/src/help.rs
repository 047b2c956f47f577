//! The text of `cargo xtask --help`.

/// Everything a user of `cargo xtask` needs to know, on one screen.
pub(crate) const TEXT: &str = "\
Usage: cargo xtask TASK [OPTIONS]

To see it work
  demo                 build everything, start the simulator, run a Lua workflow over both providers
  demo --hostile       what becomes of a plugin and scripts that mean harm
  play                 the same builds, then a shell with `kosmo` on PATH, the simulator running,
                       and accounts default, work and support at both providers
  install [--root DIR] a release build in DIR/bin (default: where `cargo install` puts binaries)
                       and the plugins in $KOSMO_HOME (default: ~/.kosmo)

To work on it
  plugins              build the plugins: target/plugins/*.wasm
  test [-- ARGS]       build everything and run every test; ARGS go to `cargo test` for the host's side alone
  clippy               clippy for the plugins, on their own target
  conform              open the generated documentation in a browser, where there is one ($KOSMO_BROWSER or
                       chromium); try MCP's test server and its official clients, where there are npm and python3;
                       keep the store's key in a keyring, where gnome-keyring is installed; compare what the tests
                       recorded with the official API documents, found in ../shared/specs or $KOSMO_SPECS; exits 2
                       where they are missing
  soak [--only processes|clients|properties] [--minutes N]
                       eight processes at one home, some of them killed; two hundred clients of one server (default:
                       1 minute each); then every property fuzzed (default: 10 minutes each), which needs cargo-fuzz
  bench                what an invocation costs, as ratios to the bare client

Plugins are built for wasm32-wasip2. A compiler that has this target is used as it is. Otherwise these
routes are tried in this order, once; what they make is kept in ${XDG_CACHE_HOME:-~/.cache}/kosmo/toolchain.
  rustup               rustup target add wasm32-wasip2
  debian-source        the standard library, built here from the source Debian has for this compiler
  debian-rustc         Debian's own compiler with its matching source, for the plugins only
KOSMO_TOOLCHAIN_ROUTE=ROUTE forces one of them, or `installed` to allow none.

Also read: CARGO, RUSTC, RUSTUP (programs to run), CC and CXX, CARGO_TARGET_DIR.
";
