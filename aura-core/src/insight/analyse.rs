//! From series to stories: what lasts is told first and left out, and then what it has hidden is looked for.

use crate::detect::Fact;

use super::closed::{holidays, turning};
use super::cube::{Cube, SeriesOf};
use super::finding::Part;
use super::scan::{Least, Scan, SeriesRule, scan};
use super::story::{Story, Told, explain, hiding, stories, tell};

/// What an analysis goes by.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) rules: Vec<SeriesRule>,
    pub(crate) least: Least,
    /// The greatest expected share of false stories.
    pub(crate) level: f64,
    pub(crate) threads: usize,
    /// Whether days that look like holidays are set aside.
    pub(crate) holidays: bool,
}

/// Segments that are left out, one after the other; each further one is known less exactly.
const MOST_LEFT_OUT: usize = 2;

/// A story found in what was left out before has to be so sure: the crossings of three dimensions are estimated.
const SURE: f64 = 1e-6;

/// A look at a cube.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) cube: Cube,
    pub(crate) scan: Scan,
}

/// An analysis on its way.
#[derive(Debug)]
pub(crate) struct Analysis {
    settings: Settings,
    pub(crate) looks: Vec<Look>,
    told: Told,
    /// Stories with the place of their look.
    pub(crate) found: Vec<(usize, Story)>,
    /// Days that were set aside because they look like holidays.
    pub(crate) holidays: Vec<usize>,
    pub(crate) tests: usize,
}

impl Analysis {
    /// Begins with all series.
    pub(crate) fn new(mut cube: Cube, settings: Settings) -> Analysis {
        cube.turning = turning(&cube);
        let found = match settings.holidays {
            true => holidays(&cube),
            false => Vec::new(),
        };
        for at in &found {
            if let Some(slot) = cube.closed.get_mut(*at) {
                *slot = true;
            }
        }
        let mut analysis = Analysis {
            settings,
            looks: Vec::new(),
            told: Told::new(),
            found: Vec::new(),
            holidays: found,
            tests: 0,
        };
        analysis.look(cube);
        analysis
    }

    fn look(&mut self, cube: Cube) {
        let s = &self.settings;
        let scan = scan(&cube, &s.rules, s.least, s.level, s.threads);
        self.tests += scan.tests;
        self.looks.push(Look { cube, scan });
    }

    /// Tells the story that hides most, and returns the segment to be left out: [`leave_out`](Analysis::leave_out) is to be
    /// called with its crossings. `None` when nothing hides anything.
    pub(crate) fn hides(&mut self) -> Option<Part> {
        if self.looks.len() > MOST_LEFT_OUT {
            return None;
        }
        let place = self.looks.len() - 1;
        let look = self.looks.get(place)?;
        let all = stories(&look.cube, &look.scan, &self.told, self.settings.level);
        let (number, part) = hiding(&look.cube, &look.scan, &all)?;
        let story = all.into_iter().nth(number)?;
        tell(&look.cube, &look.scan, &story, &mut self.told);
        self.found.push((place, story));
        Some(part)
    }

    /// Leaves a segment out and looks again. `crossings` are the series of the segment cut by each other dimension.
    pub(crate) fn leave_out(&mut self, part: &Part, crossings: Vec<SeriesOf>) {
        let Some(base) = self.looks.first_mut() else {
            return;
        };
        for series in crossings {
            base.cube.push(series);
        }
        let (Some(base), Some(last)) = (self.looks.first(), self.looks.last()) else {
            return;
        };
        let cube = last.cube.leave_out(&base.cube, part);
        self.look(cube);
    }

    /// Tells what is left: what passes from the first look, since what lasts does not hide it, and what lasts from the last one.
    pub(crate) fn finish(&mut self) {
        let last = self.looks.len().saturating_sub(1);
        for (place, passing) in [(0, true), (last, false)] {
            let Some(look) = self.looks.get(place) else {
                continue;
            };
            let level = self.settings.level;
            for story in stories(&look.cube, &look.scan, &self.told, level) {
                let head = look.scan.candidates.get(story.head);
                let fits = head.is_some_and(|c| passes(&look.cube, &c.fact) == passing);
                if !fits || (place >= MOST_LEFT_OUT && story.q_value > SURE) {
                    continue;
                }
                tell(&look.cube, &look.scan, &story, &mut self.told);
                self.found.push((place, story));
            }
        }
    }

    /// Returns the segment of one part within which a story is to be explained further.
    pub(crate) fn whole(&self, number: usize) -> Option<Part> {
        let (place, story) = self.found.get(number)?;
        let look = self.looks.get(*place)?;
        let head = look.scan.candidates.get(story.head)?;
        let series = look.cube.series().get(head.series)?;
        match series.segment.as_slice() {
            [part] => Some(part.clone()),
            _ => None,
        }
    }

    /// Explains a story by the crossings of its segment.
    pub(crate) fn explain(&mut self, number: usize, crossings: Vec<SeriesOf>) {
        let Some((place, story)) = self.found.get_mut(number) else {
            return;
        };
        let Some(look) = self.looks.get_mut(*place) else {
            return;
        };
        for series in crossings {
            look.cube.push(series);
        }
        story.cause = explain(&look.cube, &look.scan, story.head);
    }
}

/// Tells whether a fact is over after two seasons at most.
pub(crate) fn passes(cube: &Cube, fact: &Fact) -> bool {
    fact.to - fact.from <= 2 * cube.cycle().max(3)
}
