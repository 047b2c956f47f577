//! The token is nowhere in a guest's memory: every page it had is searched after the invocation.

#![expect(unsafe_code, reason = "a memory creator hands raw pages to the engine; this one keeps them readable")]

use crate::PROBE_TOKEN;
use kosmo::{Config, Host, Invocation};
use kosmo_tests::Echo;
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::{InstanceAllocationStrategy, LinearMemory, MemoryCreator, MemoryType};

type Pages = Arc<Mutex<Vec<Box<[u8]>>>>;

/// Gives out memories of a fixed size and keeps what was in them.
struct Keeper {
    kept: Pages,
}

struct Kept {
    bytes: Box<[u8]>,
    size: usize,
    kept: Pages,
}

/// Bytes of a memory, all there from the start: more than the probe ever grows to.
const RESERVED: usize = 16 << 20;

// SAFETY: every memory is one allocation of `RESERVED` bytes that never moves while the engine has it, and the engine
// is configured below without guard pages, so it checks every access against the size.
unsafe impl MemoryCreator for Keeper {
    fn new_memory(
        &self,
        ty: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        _reserved: Option<usize>,
        _guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        assert!(!ty.is_shared() && minimum <= RESERVED);
        let bytes = vec![0; RESERVED].into_boxed_slice();
        Ok(Box::new(Kept { bytes, size: minimum, kept: Arc::clone(&self.kept) }))
    }
}

// SAFETY: as above.
unsafe impl LinearMemory for Kept {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        RESERVED
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        wasmtime::ensure!(size <= RESERVED, "the probe grows less");
        self.size = size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.bytes.as_ptr().cast_mut()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

fn holds(pages: &Pages, text: &str) -> bool {
    let pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!pages.is_empty(), "the guest had a memory");
    pages.iter().any(|memory| memory.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn a_guest_never_held_the_token_anywhere_in_its_memory() {
    let (echo, pages) = (Echo::start(), Pages::default());
    let config = format!("[accounts.probe.default]\nurl = \"{}\"\naccess_token = \"{PROBE_TOKEN}\"\n", echo.url());
    let kept = Arc::clone(&pages);
    let host = Host::builder()
        .plugins(kosmo_tests::guests())
        .config(Config::parse(&config, Path::new("config.toml")).expect("a configuration"))
        .configure_engine(Box::new(move |config| {
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            config.memory_guard_size(0).memory_reservation(0).memory_init_cow(false).guard_before_linear_memory(false);
            config.with_host_memory(Arc::new(Keeper { kept: Arc::clone(&kept) }));
        }))
        .build()
        .expect("a host");

    let arguments = json!({ "url": "/allowed/large/8?canary=planted-4bd1e8", "method": "POST", "body": "{\"a\":1}" });
    let invocation = Invocation::new("probe", "fetch", arguments.as_object().cloned().unwrap_or_default());
    host.block_on(host.invoke(invocation)).expect("an answer");
    assert_eq!(echo.received()[0].header("authorization"), Some(format!("Bearer {PROBE_TOKEN}").as_str()));

    // A canary sent as an argument is found, which proves that the search sees what a guest holds.
    assert!(holds(&pages, "planted-4bd1e8"));
    assert!(!holds(&pages, PROBE_TOKEN));
}
