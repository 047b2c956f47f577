//! Everything one invocation owns while it runs: created for it, dropped with it, shared with nobody.

use crate::limits::{CORE_INSTANCES, Exceeded, Limits, MEMORIES, TABLES};
use crate::outbound::Outbound;
use std::time::Duration;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// How often the engine's clock ticks; the grain of the CPU limit.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Live resources (requests, streams, pollables) a guest may hold at once. A request takes about ten.
const RESOURCES: usize = 1_000;
/// Bytes the host will copy out of a guest in one call.
const HOSTCALL_BYTES: usize = 16 << 20;
/// Bytes of randomness in one call; a hash map's seed takes 16.
const RANDOM_BYTES: u64 = 64 << 10;
/// Bytes of one set of header fields, the host's own bookkeeping included.
const FIELD_BYTES: usize = 64 << 10;

/// The data of one invocation's store.
pub(crate) struct Sandbox {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    resources: ResourceTable,
    outbound: Outbound,
    meter: Meter,
}

impl Sandbox {
    /// A store for one invocation, with every limit armed.
    pub(crate) fn store(engine: &wasmtime::Engine, limits: &Limits, outbound: Outbound) -> Store<Self> {
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_BYTES);
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES);
        let wasi = WasiCtx::builder().max_random_size(RANDOM_BYTES).build();
        let sandbox = Self { wasi, http, resources, outbound, meter: Meter::new(limits) };
        let mut store = Store::new(engine, sandbox);
        store.limiter(|sandbox| &mut sandbox.meter);
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        store.set_max_component_handles(RESOURCES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| store.data_mut().meter.tick());
        store
    }

    /// What the gate did in this invocation.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }
}

/// Counts what a guest uses up.
struct Meter {
    memory: usize,
    table_elements: usize,
    cpu: Duration,
    limits: Limits,
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        Self { memory: 0, table_elements: 0, cpu: Duration::ZERO, limits: *limits }
    }

    /// The guest was computing when the clock ticked. Lets other invocations have their turn.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.cpu += TICK;
        if self.cpu > self.limits.cpu {
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
