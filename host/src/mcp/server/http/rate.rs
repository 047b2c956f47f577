//! How many requests a client may send: so many a second on average, and some at once.

use std::time::Instant;

/// Requests of one client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// On average.
    pub per_second: f64,
    /// At once, after a rest.
    pub burst: f64,
}

impl Default for Rate {
    fn default() -> Self {
        Self::of(50.0)
    }
}

impl Rate {
    /// So many a second, and what two seconds bring at once.
    pub fn of(per_second: f64) -> Self {
        Self { per_second, burst: (2.0 * per_second).max(1.0) }
    }
}

/// What one client may send right now.
#[derive(Debug)]
pub(super) struct Allowance {
    rate: Rate,
    left: f64,
    since: Instant,
}

impl Allowance {
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left: rate.burst, since: now }
    }

    /// Whether one more may be sent.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.since).as_secs_f64() * self.rate.per_second;
        self.left = (self.left + gained).min(self.rate.burst);
        self.since = now;
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_rest_is_rewarded_up_to_the_burst() {
        let start = Instant::now();
        let mut allowance = Allowance::new(Rate::of(10.0), start);
        let sent = |allowance: &mut Allowance, at| (0..100).filter(|_| allowance.take(at)).count();
        assert_eq!(sent(&mut allowance, start), 20);
        assert_eq!(sent(&mut allowance, start + Duration::from_millis(550)), 5);
        assert_eq!(sent(&mut allowance, start + Duration::from_secs(60)), 20);
    }
}
