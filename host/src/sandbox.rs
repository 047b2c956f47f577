//! Everything one invocation owns while it runs: created for it, dropped with it, shared with nobody.

use crate::cpu::Stopwatch;
use crate::fault::{Code, Fault};
use crate::imports::DeniedImport;
use crate::limits::{CORE_INSTANCES, Exceeded, Limits, MEMORIES, TABLES};
use crate::log::Log;
use crate::outbound::Outbound;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{ResourceTable, ResourceTableError};
use wasmtime::{PoolConcurrencyLimitError, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{FieldMapError, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// How often the engine's clock ticks: how late at most a guest that computes for ever is noticed.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The data of one invocation's store.
pub(crate) struct Sandbox {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    resources: ResourceTable,
    outbound: Outbound,
    meter: Meter,
    log: Log,
}

impl Sandbox {
    /// A store for one invocation, with every limit armed.
    pub(crate) fn store(engine: &wasmtime::Engine, limits: &Limits, outbound: Outbound) -> Store<Self> {
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits.fields);
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(limits.resources);
        let log = Log::default();
        let mut wasi = WasiCtx::builder();
        wasi.max_random_size(limits.random).stdout(log.clone()).stderr(log.clone());
        let sandbox = Self { wasi: wasi.build(), http, resources, outbound, meter: Meter::new(limits), log };
        let mut store = Store::new(engine, sandbox);
        store.limiter(|sandbox| &mut sandbox.meter);
        store.set_hostcall_fuel(limits.handed_over);
        store.set_max_component_handles(limits.resources);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| store.data_mut().meter.tick());
        store
    }

    /// What counts the guest's computing; everything the guest does has to happen in it.
    pub(crate) fn cpu(&self) -> Arc<Stopwatch> {
        Arc::clone(&self.meter.cpu)
    }

    /// What the gate did in this invocation.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }
}

/// What the engine says by text alone when a limit it was given is reached.
const HANDED_OVER: &str = "fuel allocated for hostcalls has been exhausted";
const HANDLES: &str = "store handle limit exceeded";
const RANDOM: [&str; 2] = ["requested len", "exceeds limit"];

/// How a guest ended that did not answer.
impl Sandbox {
    /// The fault of this error: a limit, a denial, no room in the pool, or a crash with the guest's last words.
    pub(crate) fn ended_by(&self, error: &wasmtime::Error) -> Fault {
        if let Some(exceeded) = self.exceeded(error) {
            return exceeded.into();
        }
        if let Some(denied) = error.downcast_ref::<DeniedImport>() {
            return denied.into();
        }
        if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
            return Fault::new(Code::Busy, format!("There is no room for another sandbox ({full}); try again later."));
        }
        let said = self.log.last_words().map_or(String::new(), |words| format!(" It said: {words}"));
        let message = format!("The plugin crashed: {}. Nothing of it is left running.{said}", error.root_cause());
        Fault::new(Code::Trap, message)
    }

    fn exceeded(&self, error: &wasmtime::Error) -> Option<Exceeded> {
        let (limits, told) = (&self.meter.limits, error.root_cause().to_string());
        if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
            return Some(*exceeded);
        }
        match error.downcast_ref::<FieldMapError>() {
            Some(FieldMapError::TooManyFields | FieldMapError::TotalSizeTooBig) => {
                Some(Exceeded::Fields(limits.fields))
            }
            _ if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) || told.contains(HANDLES) => {
                Some(Exceeded::Resources(limits.resources))
            }
            _ if told.contains(HANDED_OVER) => Some(Exceeded::HandedOver(limits.handed_over)),
            _ if RANDOM.iter().all(|part| told.contains(part)) => Some(Exceeded::Random(limits.random)),
            _ => None,
        }
    }
}

/// Counts what a guest uses up.
struct Meter {
    memory: usize,
    table_elements: usize,
    cpu: Arc<Stopwatch>,
    limits: Limits,
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        Self { memory: 0, table_elements: 0, cpu: Arc::default(), limits: *limits }
    }

    /// The guest was computing when the clock had ticked. Lets other invocations have their turn.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        if self.cpu.elapsed() > self.limits.cpu {
            return Err(Exceeded::Cpu(self.limits.cpu).into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.memory = self.memory.saturating_add(desired.saturating_sub(current));
        if self.memory > self.limits.memory { Err(Exceeded::Memory(self.limits.memory).into()) } else { Ok(true) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.table_elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        let limit = self.limits.table_elements;
        if self.table_elements > limit { Err(Exceeded::Table(limit).into()) } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

impl WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.resources, hooks: &mut self.outbound }
    }
}
