//! The functions a run asked for, as its envelope lists them.

use super::outcome::{IntegrationCall, Status, milliseconds};
use crate::clip::clipped;
use crate::fault::{Code, Fault};
use std::time::Duration;

/// Most entries of one run.
const MOST: usize = 20_000;
/// Most characters kept of a path or a name, and of an error.
const NAME: usize = 200;
const ERROR: usize = 1000;

/// In the order the script asked.
#[derive(Default)]
pub(super) struct Records {
    list: Vec<IntegrationCall>,
    bytes: usize,
}

/// A place in the list.
#[derive(Clone, Copy)]
pub(super) struct Entry(usize);

impl Records {
    /// Reserves the next place. Until it is filled, the entry tells that the script ended first.
    pub(super) fn begin(&mut self, path: &str, group: &str, name: &str) -> Result<Entry, Fault> {
        if self.list.len() >= MOST {
            return Err(Fault::new(
                Code::TooLarge,
                format!(
                    "This run has asked for {MOST} functions already, the most one run may. Split the work into several runs"
                ),
            ));
        }
        self.list.push(IntegrationCall {
            path: clipped(path, NAME).into(),
            duration_ms: 0.0,
            status: Status::Error,
            error: Some("the script ended before it was done".into()),
            name: clipped(name, NAME).into(),
            group: clipped(group, NAME).into(),
        });
        self.bytes += self.list.last().map_or(0, weight);
        Ok(Entry(self.list.len() - 1))
    }

    /// Fills a place.
    pub(super) fn end(&mut self, entry: Entry, took: Duration, error: Option<&Fault>) {
        if let Some(call) = self.list.get_mut(entry.0) {
            self.bytes -= weight(call);
            call.duration_ms = milliseconds(took);
            call.status = if error.is_some() { Status::Error } else { Status::Ok };
            call.error = error.map(|fault| clipped(&fault.message, ERROR).into());
            self.bytes += weight(call);
        }
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn into_list(self) -> Vec<IntegrationCall> {
        self.list
    }
}

fn weight(call: &IntegrationCall) -> usize {
    let texts = [&call.path, &call.name, &call.group].map(String::len).iter().sum::<usize>();
    size_of::<IntegrationCall>() + texts + call.error.as_ref().map_or(0, String::len)
}
