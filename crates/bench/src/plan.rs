//! Times at which requests are sent.

use std::time::Duration;

use anyhow::ensure;

/// Number and times of the requests of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Pace of the requests.
    pub pace: Pace,
    /// Send so many.
    pub tasks: Option<usize>,
    /// Send no more after this time.
    pub duration: Option<Duration>,
    /// Most of them under way at the same time.
    pub concurrency: Option<usize>,
    /// Longest time from sending to the end of the answer.
    pub timeout: Duration,
}

/// Pace of requests: what decides when the next one is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// The clock (open model): so long after the one before, whether that is answered or not.
    Every(Duration),
    /// The clock (open model): so many per second.
    Rate(f64),
    /// The answer to another one (closed model).
    Answers,
}

/// A gap in microseconds of a rate above this is none, and no machine sends that many.
const MOST_PER_SECOND: f64 = 1e6;

impl Plan {
    /// Tells whether it can be sent.
    ///
    /// # Errors
    /// Says what does not fit together.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.tasks.is_some() || self.duration.is_some(),
            "nothing says when to end: a number of tasks or a duration is needed"
        );
        ensure!(self.tasks != Some(0), "the number of tasks must be at least 1");
        ensure!(self.concurrency != Some(0), "the concurrency must be at least 1");
        ensure!(self.duration != Some(Duration::ZERO), "the duration must be more than nothing");
        ensure!(self.timeout > Duration::ZERO, "the time-out must be more than nothing");
        match self.pace {
            Pace::Every(gap) => {
                ensure!(
                    gap > Duration::ZERO || self.tasks.is_some(),
                    "a duration needs a pace: a rate, an interval or a concurrency"
                );
            }
            Pace::Rate(rate) => ensure!(
                rate > 0.0 && rate <= MOST_PER_SECOND,
                "the rate is {rate}; it must be more than 0 and at most {MOST_PER_SECOND} per second"
            ),
            Pace::Answers => {
                ensure!(self.concurrency.is_some(), "the closed model needs a concurrency: how many at once")
            }
        }
        Ok(())
    }

    /// Time at which a request is to be sent, counted from the start; none under the closed model and after the end.
    pub(crate) fn due(&self, number: usize) -> Option<Duration> {
        if self.tasks.is_some_and(|tasks| number >= tasks) {
            return None;
        }
        // Each from the start, not from the one before: rounding must not add up.
        let due = match self.pace {
            Pace::Every(gap) => Duration::try_from_secs_f64(gap.as_secs_f64() * number as f64).ok()?,
            Pace::Rate(rate) => Duration::try_from_secs_f64(number as f64 / rate).ok()?,
            Pace::Answers => return None,
        };
        self.duration.is_none_or(|duration| due < duration).then_some(due)
    }

    /// The same load for a time, before the one that counts. Requests that all go out at once have no going on; in
    /// their place as many as that are kept under way.
    pub(crate) fn warm_up(&self, time: Duration) -> Self {
        let at_once = self.pace == Pace::Every(Duration::ZERO);
        let (pace, concurrency) = match (at_once, self.tasks) {
            (true, tasks) => (Pace::Answers, tasks.min(self.concurrency.or(tasks)).or(Some(1))),
            (false, _) => (self.pace, self.concurrency),
        };
        Self { pace, concurrency, tasks: None, duration: Some(time), timeout: self.timeout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(pace: Pace, tasks: Option<usize>, seconds: Option<u64>) -> Plan {
        let duration = seconds.map(Duration::from_secs);
        Plan { pace, tasks, duration, concurrency: None, timeout: Duration::from_secs(1) }
    }

    fn dues(plan: &Plan) -> Vec<u128> {
        (0..).map_while(|number| plan.due(number)).map(|due| due.as_millis()).collect()
    }

    #[test]
    fn the_clock_says_when() {
        let every = Pace::Every(Duration::from_millis(500));
        assert_eq!(dues(&plan(every, Some(3), None)), [0, 500, 1000]);
        assert_eq!(dues(&plan(every, Some(9), Some(1))), [0, 500]);
        assert_eq!(dues(&plan(Pace::Rate(4.0), None, Some(1))), [0, 250, 500, 750]);
        assert_eq!(dues(&plan(Pace::Every(Duration::ZERO), Some(2), None)), [0, 0]);
        // A third of a second has no end in decimals; the last one is on time all the same.
        let long = plan(Pace::Rate(3.0), None, Some(3600));
        assert_eq!(long.due(10_797), Some(Duration::from_secs(3599)));
        assert_eq!(dues(&long).len(), 10_800);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let every = |gap| Pace::Every(Duration::from_secs(gap));
        for wrong in [
            plan(every(1), None, None),
            plan(every(0), None, Some(1)),
            plan(every(1), Some(0), None),
            plan(every(1), None, Some(0)),
            plan(Pace::Rate(0.0), None, Some(1)),
            plan(Pace::Rate(f64::NAN), None, Some(1)),
            plan(Pace::Rate(1e9), None, Some(1)),
            plan(Pace::Answers, Some(1), None),
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
        plan(every(0), Some(1), None).check().expect("it is right");
    }

    #[test]
    fn a_warm_up_lasts_as_long_as_it_should() {
        let time = Duration::from_secs(2);
        let at_once = plan(Pace::Every(Duration::ZERO), Some(20), None).warm_up(time);
        assert_eq!((at_once.pace, at_once.concurrency, at_once.tasks), (Pace::Answers, Some(20), None));
        assert_eq!(at_once.duration, Some(time));
        let rate = plan(Pace::Rate(5.0), Some(3), None).warm_up(time);
        assert_eq!(dues(&rate).len(), 10);
        rate.check().and(at_once.check()).expect("they are right");
    }
}
