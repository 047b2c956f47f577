//! Compiles, caches, links and limits components. One per process, since types of two engines must never meet.

use crate::artifact::Artifacts;
use crate::bindings::{PluginPre, contract};
use crate::description::{Description, DescriptionError};
use crate::fault::{Code, Fault};
use crate::imports;
use crate::limits::{CORE_INSTANCES, Limits, MEMORIES, TABLES};
use crate::outbound::Outbound;
use crate::sandbox::{Sandbox, TICK};
use crate::size::{self, SizeError};
use crate::turns::{Turn, Turns};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::component::Component;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Invocations that may run at once; further ones wait their turn.
const SLOTS: u32 = 128;
/// Of those, how many one provider may hold: when all of its hang, others still run.
const SHARE: u32 = 96;
/// How long an invocation waits for its turn before it is told `busy`.
const QUEUE: Duration = Duration::from_secs(10);
/// What `describe` may compute, and how long it may take on a busy machine: it answers from constants.
const DESCRIBE: Duration = Duration::from_secs(1);
const DESCRIBE_WALL: Duration = Duration::from_secs(10);
/// How long a component may take to be compiled. The largest real ones take ten seconds.
const COMPILING: Duration = Duration::from_secs(60);
/// Whose turn it is while a component is asked what it is: no provider has this name.
const DESCRIBING: &str = "a plugin that is being loaded";
/// How many refused components are remembered.
const REFUSED: usize = 1_000;
/// Bytes of a component file. A Python one is 18 MB; compiling is the most expensive thing a plugin can make us do.
pub(crate) const COMPONENT_BYTES: usize = 32 << 20;
/// Bytes of one linear memory the pool reserves; the sandbox's own sum is lower or equal.
const MEMORY_BYTES: usize = 64 << 20;
/// Bytes of memory a pool slot keeps between invocations, wiped instead of returned to the system: about what a small
/// plugin touches.
const RESIDENT_BYTES: usize = 1 << 20;

/// Changes the engine's configuration before it is built, for embedders that measure or inspect.
pub type Configure = Box<dyn Fn(&mut Config) + Send + Sync>;

/// Where the engine keeps what it compiled, and how it is built.
#[derive(Default)]
pub struct EngineSettings {
    /// Folder for compiled components; none keeps nothing.
    pub cache: Option<PathBuf>,
    /// The embedder's last word on the configuration.
    pub configure: Option<Configure>,
    /// How long a component may take to be compiled; a minute if none is given.
    pub compiling: Option<Duration>,
}

/// Compiles, caches, links and limits components. Costs nothing until a component is needed.
pub struct Engine {
    settings: EngineSettings,
    wasmtime: OnceLock<Result<wasmtime::Engine, Fault>>,
    artifacts: OnceLock<Option<Artifacts>>,
    turns: Turns,
    loading: Arc<Semaphore>,
    /// By digest: what could not be loaded once cannot be loaded later, and trying costs seconds.
    refused: Mutex<HashMap<Arc<str>, Fault>>,
}

impl Engine {
    /// An engine that will be built when it is first needed.
    pub fn new(settings: EngineSettings) -> Self {
        let (wasmtime, artifacts) = (OnceLock::new(), OnceLock::new());
        let (turns, loading) = (Turns::new(SLOTS as usize, SHARE as usize, QUEUE), Arc::new(Semaphore::new(1)));
        Self { settings, wasmtime, artifacts, turns, loading, refused: Mutex::default() }
    }

    /// What a component says of itself: from the cache if it was asked before, otherwise by asking it.
    ///
    /// # Errors
    /// `unloadable`, if it cannot be loaded, does not answer, or describes something inconsistent.
    pub async fn describe(self: &Arc<Self>, digest: &Arc<str>, bytes: &Arc<[u8]>) -> Result<Description, Fault> {
        let name = format!("{digest}.json");
        let cached = self.artifacts().and_then(|artifacts| artifacts.read(&name));
        if let Some(description) = cached.and_then(|json| serde_json::from_slice(&json).ok()) {
            return Ok(description);
        }
        let plugin = self.load(digest, bytes).await?;
        self.remember(digest, self.describe_now(&name, &plugin).await)
    }

    async fn describe_now(&self, name: &str, plugin: &PluginPre<Sandbox>) -> Result<Description, Fault> {
        let declared = self.ask(plugin).await?;
        if let Some(artifacts) = self.artifacts()
            && let Ok(json) = serde_json::to_vec(&declared)
        {
            artifacts.write(name, &json);
        }
        declared.try_into().map_err(|error: DescriptionError| Fault::new(Code::Unloadable, error.to_string()))
    }

    async fn ask(&self, plugin: &PluginPre<Sandbox>) -> Result<contract::Description, Fault> {
        let _turn = self.turn(DESCRIBING).await?;
        let limits = Limits { wall: DESCRIBE_WALL, cpu: DESCRIBE, ..Limits::default() };
        let mut store = Sandbox::store(self.wasmtime()?, &limits, Outbound::closed());
        let cpu = store.data().cpu();
        let answer = cpu.counting(async {
            let plugin = plugin.instantiate_async(&mut store).await?;
            plugin.kosmo_plugin_provider().call_describe(&mut store).await
        });
        match timeout(limits.wall, answer).await {
            Ok(Ok(declared)) => Ok(declared),
            Ok(Err(error)) => Err(undescribed(store.data().ended_by(&error))),
            Err(_) => {
                let message = format!("`describe` took more than {} s.", DESCRIBE_WALL.as_secs());
                Err(Fault::new(Code::Unloadable, message))
            }
        }
    }

    /// The component ready to be instantiated: from the cache if it is there, compiled otherwise. That takes seconds,
    /// so it happens beside the threads that serve invocations. What was refused once is refused at once.
    ///
    /// # Errors
    /// `unloadable`, if the file is no component, wants imports nobody gives, speaks another contract, or takes too
    /// much to compile.
    pub(crate) async fn load(
        self: &Arc<Self>,
        digest: &Arc<str>,
        bytes: &Arc<[u8]>,
    ) -> Result<PluginPre<Sandbox>, Fault> {
        // One at a time: whoever gives up waiting must not leave a pile of compilations behind.
        let turn = Arc::clone(&self.loading).acquire_owned().await;
        if let Some(fault) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return Err(fault.clone());
        }
        let (engine, digest, bytes) = (Arc::clone(self), Arc::clone(digest), Arc::clone(bytes));
        let loading = tokio::spawn(async move {
            let _turn = turn;
            let loaded = engine.load_in_time(&digest, &bytes).await;
            engine.remember(&digest, loaded)
        });
        loading.await.unwrap_or_else(|error| Err(internal("loading the plugin", &error)))
    }

    /// A thread that compiles cannot be stopped. One that takes too long is left to end by itself, and its component is
    /// not tried again, so that there is one such thread at most for every bad file.
    async fn load_in_time(self: &Arc<Self>, digest: &Arc<str>, bytes: &Arc<[u8]>) -> Result<PluginPre<Sandbox>, Fault> {
        let limit = self.settings.compiling.unwrap_or(COMPILING);
        let (engine, digest, bytes) = (Arc::clone(self), Arc::clone(digest), Arc::clone(bytes));
        match timeout(limit, tokio::task::spawn_blocking(move || engine.load_now(&digest, &bytes))).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => Err(internal("loading the plugin", &error)),
            Err(_) => {
                let message = format!(
                    "Compiling it takes more than {} s, and was given up; restart kosmo to try again.",
                    limit.as_secs_f32()
                );
                Err(Fault::new(Code::Unloadable, message))
            }
        }
    }

    fn remember<T>(&self, digest: &Arc<str>, loaded: Result<T, Fault>) -> Result<T, Fault> {
        let refused = |fault: &Fault| fault.code == Code::Unloadable;
        if let Some(fault) = loaded.as_ref().err().filter(|fault| refused(fault)) {
            let mut known = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REFUSED {
                known.clear();
            }
            known.insert(Arc::clone(digest), fault.clone());
        }
        loaded
    }

    fn load_now(&self, digest: &str, bytes: &[u8]) -> Result<PluginPre<Sandbox>, Fault> {
        let engine = self.wasmtime()?;
        let component = self.component(engine, digest, bytes)?;
        imports::check_contract(engine, &component)?;
        let linker = imports::link(engine, &component)?;
        let unloadable = |error: wasmtime::Error| Fault::new(Code::Unloadable, format!("{error:#}"));
        PluginPre::new(linker.instantiate_pre(&component).map_err(unloadable)?).map_err(unloadable)
    }

    /// A turn of this provider among the invocations that may run at once.
    ///
    /// # Errors
    /// `busy`, if none came free in time.
    pub(crate) async fn turn(&self, provider: &str) -> Result<Turn, Fault> {
        self.turns.take(provider).await
    }

    /// The engine below, for instantiation and for embedders that inspect it.
    ///
    /// # Errors
    /// When the platform offers none of the memory strategies it can work with.
    pub fn wasmtime(&self) -> Result<&wasmtime::Engine, Fault> {
        self.wasmtime.get_or_init(|| build(&self.settings)).as_ref().map_err(Fault::clone)
    }

    /// Sandboxes in use. None, if there is no engine yet.
    pub fn instances(&self) -> u64 {
        let built = self.wasmtime.get().and_then(|engine| engine.as_ref().ok());
        let pool = built.and_then(wasmtime::Engine::pooling_allocator_metrics);
        pool.map_or(0, |pool| pool.component_instances())
    }

    fn artifacts(&self) -> Option<&Artifacts> {
        let open = || self.settings.cache.as_ref().and_then(|folder| Artifacts::open(folder).ok());
        self.artifacts.get_or_init(open).as_ref()
    }

    fn component(&self, engine: &wasmtime::Engine, digest: &str, bytes: &[u8]) -> Result<Component, Fault> {
        let name = format!("{digest}-{:016x}.cwasm", compatibility(engine));
        if let Some(component) = self.artifacts().and_then(|artifacts| artifacts.component(engine, &name)) {
            return Ok(component);
        }
        let component = compile(engine, bytes)?;
        if let Some(artifacts) = self.artifacts()
            && let Ok(compiled) = component.serialize()
        {
            artifacts.write(&name, &compiled);
        }
        Ok(component)
    }
}

/// Artifacts of another compiler version or configuration have another number.
fn compatibility(engine: &wasmtime::Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn compile(engine: &wasmtime::Engine, bytes: &[u8]) -> Result<Component, Fault> {
    if bytes.len() > COMPONENT_BYTES {
        let message = format!("The file has {} bytes; a component may have {COMPONENT_BYTES}.", bytes.len());
        return Err(Fault::new(Code::Unloadable, message));
    }
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        let message = "The file is a core WebAssembly module; build it for wasm32-wasip2 to get a component.";
        return Err(Fault::new(Code::Unloadable, message));
    }
    if !bytes.starts_with(b"\0asm") {
        let message = "The file is not a component: it does not even begin like WebAssembly.";
        return Err(Fault::new(Code::Unloadable, message));
    }
    let unloadable = |reason: &str| {
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        Fault::new(Code::Unloadable, format!("The file is not a component: {reason}"))
    };
    size::check(bytes).map_err(|error| match error {
        SizeError::Malformed(error) => unloadable(&error),
        error => Fault::new(Code::Unloadable, format!("The component is too much to compile: {error}.")),
    })?;
    Component::from_binary(engine, bytes).map_err(|error| unloadable(&format!("{error:#}")))
}

fn undescribed(fault: Fault) -> Fault {
    match fault.code {
        Code::Busy => fault,
        _ => Fault::new(Code::Unloadable, format!("`describe` failed: {}", fault.message)),
    }
}

/// Instances come from a pool; where the address space for one is not to be had, each is mapped on demand.
fn build(settings: &EngineSettings) -> Result<wasmtime::Engine, Fault> {
    let with = |strategy| {
        let mut config = base_config();
        config.allocation_strategy(strategy);
        if let Some(configure) = &settings.configure {
            configure(&mut config);
        }
        wasmtime::Engine::new(&config)
    };
    let engine = with(InstanceAllocationStrategy::Pooling(pool()))
        .or_else(|_| with(InstanceAllocationStrategy::OnDemand))
        .map_err(|error| internal("the sandbox cannot be set up", &error))?;
    start_clock(&engine)?;
    Ok(engine)
}

fn base_config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    // The contract is synchronous (WASI 0.2); without the bookkeeping of concurrent tasks a host call costs a third.
    config.concurrency_support(false);
    config.async_stack_size(1 << 20);
    config.max_wasm_stack(512 << 10);
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * CORE_INSTANCES)
        .total_memories(SLOTS * MEMORIES)
        .total_tables(SLOTS * TABLES)
        .total_stacks(SLOTS)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(MEMORY_BYTES)
        .table_elements(100_000)
        .max_unused_warm_slots(SLOTS)
        .decommit_batch_size(8)
        .pagemap_scan(Enabled::Auto);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.linear_memory_keep_resident(RESIDENT_BYTES).table_keep_resident(64 << 10);
    }
    pool
}

fn start_clock(engine: &wasmtime::Engine) -> Result<(), Fault> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let spawned = std::thread::Builder::new().name("kosmo-clock".into()).spawn(tick);
    spawned.map(drop).map_err(|error| internal("the sandbox's clock cannot be started", &error))
}

fn internal(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(Code::Internal, format!("{what}: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A component with nothing in it.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn refusal(engine: &Arc<Engine>, bytes: &[u8]) -> Fault {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let loaded = runtime.block_on(engine.load(&Arc::from("digest"), &Arc::from(bytes)));
        loaded.err().expect("nothing here is a plugin")
    }

    #[test]
    fn what_was_refused_is_refused_again_without_another_look() {
        let engine = Arc::new(Engine::new(EngineSettings::default()));
        let fault = refusal(&engine, EMPTY);
        assert_eq!(fault.code, Code::Unloadable);
        assert!(fault.message.contains("does not export kosmo:plugin/provider"), "{fault}");
        assert_eq!(refusal(&engine, b"other bytes of the same digest"), fault);
    }

    #[test]
    fn a_component_that_takes_too_long_to_compile_is_given_up_and_not_tried_again() {
        let configure: Configure = Box::new(|_| std::thread::sleep(Duration::from_secs(1)));
        let compiling = Some(Duration::from_millis(10));
        let settings = EngineSettings { configure: Some(configure), compiling, cache: None };
        let engine = Arc::new(Engine::new(settings));
        let fault = refusal(&engine, EMPTY);
        assert_eq!(fault.code, Code::Unloadable);
        assert!(fault.message.starts_with("Compiling it takes more than 0.01 s"), "{fault}");
        let begun = Instant::now();
        assert_eq!(refusal(&engine, EMPTY), fault);
        assert!(begun.elapsed() < Duration::from_secs(5), "the turn came free");
    }
}
