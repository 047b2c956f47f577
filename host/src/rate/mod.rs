//! How often an account's provider may be asked: the groups it declares, corrected by what its answers say. Pure: the
//! time is an argument.

mod notice;

#[cfg(test)]
mod tests;

pub(crate) use notice::Notice;

use crate::description::RateGroup;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// Beyond these a group would not limit anything, only remember.
const MOST_REQUESTS: u32 = 100_000;
const LONGEST_WINDOW: u32 = 24 * 3600;

/// So many requests in any window of such a length, both at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    limit: u32,
    window: u32,
}

impl Pace {
    /// `window` in seconds. `None` for a pace that nothing could keep, or that is none.
    pub(crate) fn new(limit: u32, window: u32) -> Option<Self> {
        let sound = (1..=MOST_REQUESTS).contains(&limit) && (1..=LONGEST_WINDOW).contains(&window);
        sound.then_some(Self { limit, window })
    }

    pub(crate) fn window(self) -> Duration {
        Duration::from_secs(self.window.into())
    }

    fn limit(self) -> usize {
        self.limit.try_into().unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} s", self.limit, self.window)
    }
}

/// One request from the moment it wants to be sent until its answer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Why a request may not go out yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// Not before this, and later if those in front take longer.
    pub(crate) until: Instant,
    /// The group that is full or closed; empty for what belongs to none.
    pub(crate) group: String,
    /// What the group allows; `None` if the provider closed it.
    pub(crate) pace: Option<Pace>,
}

/// The groups of one account, and who waits for them in order of arrival.
#[derive(Debug)]
pub(crate) struct Rates {
    /// The first has no name and no limit: requests that belong to no group can be told to wait, too.
    groups: Vec<Group>,
    queue: VecDeque<(Ticket, Vec<usize>)>,
    issued: u64,
}

#[derive(Debug, Default)]
struct Group {
    name: String,
    account_wide: bool,
    pace: Option<Pace>,
    /// In the order they were taken.
    taken: VecDeque<Taken>,
    closed_until: Option<Instant>,
}

/// A place in a window. The provider counted the request some time between its sending and its answer, so only a
/// whole window after the answer is it certain that the place is free again.
#[derive(Debug)]
struct Taken {
    by: Ticket,
    answered: Option<Instant>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { groups: vec![Group::default()], queue: VecDeque::new(), issued: 0 }
    }
}

impl Rates {
    /// Takes over what a revision of the plugin declares. What is known of a group stays known.
    pub(crate) fn declare(&mut self, declared: &[RateGroup]) {
        self.groups.iter_mut().for_each(|group| group.account_wide = false);
        for group in declared {
            let index = self.named(&group.name).unwrap_or_else(|| {
                self.groups.push(Group { name: group.name.clone(), ..Group::default() });
                self.groups.len() - 1
            });
            let known = &mut self.groups[index];
            (known.account_wide, known.pace) = (group.account_wide, Pace::new(group.limit, group.window));
        }
    }

    /// Joins the end of the line, to send a request of this group.
    pub(crate) fn join(&mut self, group: Option<&str>) -> Ticket {
        let own = group.and_then(|name| self.named(name)).unwrap_or_default();
        let wide = (0..self.groups.len()).filter(|&index| index != own && self.groups[index].account_wide);
        let groups = std::iter::once(own).chain(wide).collect();
        self.issued += 1;
        self.queue.push_back((Ticket(self.issued), groups));
        Ticket(self.issued)
    }

    /// Leaves the line to send the request now, if its groups and those in front leave room for it.
    pub(crate) fn go(&mut self, ticket: Ticket, now: Instant) -> Result<(), Wait> {
        let Some(place) = self.queue.iter().position(|(waiting, _)| *waiting == ticket) else { return Ok(()) };
        let waits = self.queue[place].1.iter().map(|&group| self.wait(group, place, now));
        if let Some(longest) = waits.max_by_key(|wait| wait.until).filter(|wait| wait.until > now) {
            return Err(longest);
        }
        let (_, groups) = self.queue.remove(place).unwrap_or((ticket, Vec::new()));
        for group in groups {
            self.groups[group].take(ticket, now);
        }
        Ok(())
    }

    /// Ends it: the answer is there, or nobody waits for it any more.
    pub(crate) fn end(&mut self, ticket: Ticket, now: Instant) {
        self.queue.retain(|(waiting, _)| *waiting != ticket);
        let mine = self.groups.iter_mut().filter_map(|group| group.taken_by(ticket));
        mine.for_each(|taken| taken.answered = Some(now));
    }

    /// Gives the places back that a request took which never left.
    pub(crate) fn give_back(&mut self, ticket: Ticket) {
        self.groups.iter_mut().for_each(|group| group.taken.retain(|taken| taken.by != ticket));
    }

    /// Learns from the head of an answer that was no 429; `group` is the one the request was meant for.
    pub(crate) fn learn(&mut self, ticket: Ticket, group: Option<&str>, notice: &Notice, now: Instant) {
        let own = group.and_then(|name| self.named(name)).unwrap_or_default();
        let Some(index) = notice.group.as_deref().map_or(Some(own), |name| self.named(name)) else { return };
        let group = &mut self.groups[index];
        if group.taken_by(ticket).is_none() {
            group.take(ticket, now);
        }
        group.pace = notice.pace.or(group.pace);
        if let Some(remaining) = notice.remaining {
            group.leave(remaining, now);
        }
    }

    /// Leaves alone the group whose limit a 429 says is exceeded. When it may be asked again is the provider's word;
    /// that nothing remains until then says no more.
    pub(crate) fn close(&mut self, group: Option<&str>, notice: &Notice, now: Instant) {
        let Some(penalty) = notice.penalty() else { return };
        let named = notice.group.as_deref().and_then(|name| self.named(name));
        let index = named.or_else(|| self.named(group?)).unwrap_or_default();
        let closed = &mut self.groups[index].closed_until;
        *closed = (*closed).max(Some(now + penalty));
    }

    /// Providers write a group's name as they like from one answer to the next.
    fn named(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name.eq_ignore_ascii_case(name))
    }

    fn wait(&self, index: usize, place: usize, now: Instant) -> Wait {
        let ahead = self.queue.iter().take(place).filter(|(_, groups)| groups.contains(&index)).count();
        let group = &self.groups[index];
        let closed = group.closed_until.is_some_and(|until| until > now);
        let pace = group.pace.filter(|_| !closed);
        Wait { until: group.free(ahead, now), group: group.name.clone(), pace }
    }
}

impl Group {
    /// When the next but `ahead` may go.
    fn free(&self, ahead: usize, now: Instant) -> Instant {
        let open = self.closed_until.map_or(now, |until| until.max(now));
        let Some(pace) = self.pace.filter(|pace| self.taken.len() + ahead >= pace.limit()) else { return open };
        let mut free: Vec<_> = self
            .taken
            .iter()
            .map(|taken| taken.answered.unwrap_or(now) + pace.window())
            .filter(|at| *at > now)
            .collect();
        free.sort_unstable();
        // Whoever goes takes a place again, which is free a window later.
        let rounds = u32::try_from(ahead / pace.limit()).unwrap_or(u32::MAX);
        let first = match (free.len() + ahead % pace.limit()).checked_sub(pace.limit()) {
            Some(index) => free[index].max(open),
            None => open,
        };
        first + pace.window().saturating_mul(rounds)
    }

    fn take(&mut self, by: Ticket, now: Instant) {
        let Some(pace) = self.pace else { return };
        // What lies behind one that is not over yet is forgotten later: this is asked for each request.
        while self.taken.front().is_some_and(|taken| taken.is_over(pace, now)) {
            self.taken.pop_front();
        }
        self.taken.push_back(Taken { by, answered: None });
    }

    /// The latest are asked for most.
    fn taken_by(&mut self, ticket: Ticket) -> Option<&mut Taken> {
        self.taken.iter_mut().rev().find(|taken| taken.by == ticket)
    }

    /// Others use the account, too: takes as many places as the provider counted and we did not.
    fn leave(&mut self, remaining: usize, now: Instant) {
        let Some(pace) = self.pace else { return };
        self.taken.retain(|taken| !taken.is_over(pace, now));
        let others = pace.limit().saturating_sub(self.taken.len()).saturating_sub(remaining);
        self.taken.extend((0..others).map(|_| Taken { by: Ticket(0), answered: Some(now) }));
    }
}

impl Taken {
    /// Whether the provider's window has certainly passed it.
    fn is_over(&self, pace: Pace, now: Instant) -> bool {
        self.answered.is_some_and(|at| at + pace.window() <= now)
    }
}
