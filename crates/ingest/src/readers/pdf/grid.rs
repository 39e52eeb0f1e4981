//! From ruling lines to the cells of tables: lines close beside each other are one, lines that cross belong to one
//! table, and places between which no line stands are one cell (after A. Nurminen, "Algorithmic extraction of data in
//! tables in PDF documents", 2013).

use super::rules::{Rule, Rules};

/// Points up to which parallel lines are one: a double border, the borders of two cells beside each other. The
/// lowest row of legible type is higher.
const APART: f32 = 4.5;

/// Points up to which a gap is part of a line: dashes, dots, the space between two cells' borders.
const GAP: f32 = 6.0;

/// Length in points below which a line is none.
const SHORTEST: f32 = 8.0;

/// Points by which two lines that cross may fail to touch: of a thick double border only the inner line is met.
const TOUCH: f32 = 7.0;

/// Points by which lines stick out of a table when it has no border at that side.
const OPEN: f32 = 12.0;

/// Share of an edge that a line must cover to part two cells.
const COVERED: f32 = 0.75;

/// Lines of each direction on a page, and places of a table. More are a drawing.
const MOST_LINES: usize = 1_000;
const MOST_PLACES: usize = 20_000;

/// A table's places, in points.
#[derive(Debug)]
pub(super) struct Grid {
    /// Vertical edges of the columns, from left to right.
    pub(super) xs: Vec<f32>,
    /// Horizontal edges of the rows, from the top down.
    pub(super) ys: Vec<f32>,
    /// The cell that each place belongs to, row by row; a cell has the number of its first place.
    cells: Vec<usize>,
}

impl Grid {
    /// The grids of a page, the largest first. One inside another is a part of it.
    pub(super) fn of(rules: Rules) -> Vec<Self> {
        let (horizontal, vertical) = (merged(rules.horizontal), merged(rules.vertical));
        if horizontal.len() > MOST_LINES || vertical.len() > MOST_LINES {
            return Vec::new();
        }
        let mut grids: Vec<Self> =
            groups(&horizontal, &vertical).iter().filter_map(|(rows, columns)| Self::new(rows, columns)).collect();
        grids.sort_by(|one, other| other.area().total_cmp(&one.area()));
        let mut outer: Vec<Self> = Vec::new();
        for grid in grids {
            let (x, y) = ((grid.left() + grid.right()) / 2.0, (grid.top() + grid.bottom()) / 2.0);
            if !outer.iter().any(|other| other.holds(x, y)) {
                outer.push(grid);
            }
        }
        outer
    }

    /// The grid of lines that belong together.
    fn new(horizontal: &[Rule], vertical: &[Rule]) -> Option<Self> {
        let xs = edges(vertical, horizontal);
        let mut ys = edges(horizontal, vertical);
        ys.reverse();
        let (columns, rows) = (xs.len().checked_sub(1)?, ys.len().checked_sub(1)?);
        if columns == 0 || rows == 0 || columns * rows > MOST_PLACES {
            return None;
        }
        let mut cells = Cells((0..columns * rows).collect());
        for row in 0..rows {
            for column in 0..columns {
                let place = row * columns + column;
                if column > 0 && !is_ruled(vertical, xs[column], ys[row + 1], ys[row]) {
                    cells.join(place - 1, place);
                }
                if row > 0 && !is_ruled(horizontal, ys[row], xs[column], xs[column + 1]) {
                    cells.join(place - columns, place);
                }
            }
        }
        let cells = (0..columns * rows).map(|place| cells.first(place)).collect();
        Some(Self { xs, ys, cells })
    }

    pub(super) fn columns(&self) -> usize {
        self.xs.len() - 1
    }

    pub(super) fn rows(&self) -> usize {
        self.ys.len() - 1
    }

    /// The cell that a place belongs to.
    pub(super) fn cell(&self, row: usize, column: usize) -> usize {
        self.cells[row * self.columns() + column]
    }

    /// Row and column of a point.
    pub(super) fn place(&self, x: f32, y: f32) -> Option<(usize, usize)> {
        let column = self.xs.windows(2).position(|edges| (edges[0]..edges[1]).contains(&x))?;
        let row = self.ys.windows(2).position(|edges| edges[1] < y && y <= edges[0])?;
        Some((row, column))
    }

    pub(super) fn left(&self) -> f32 {
        self.xs[0]
    }

    pub(super) fn right(&self) -> f32 {
        self.xs[self.xs.len() - 1]
    }

    pub(super) fn top(&self) -> f32 {
        self.ys[0]
    }

    pub(super) fn bottom(&self) -> f32 {
        self.ys[self.ys.len() - 1]
    }

    fn area(&self) -> f32 {
        (self.right() - self.left()) * (self.top() - self.bottom())
    }

    fn holds(&self, x: f32, y: f32) -> bool {
        (self.left()..=self.right()).contains(&x) && (self.bottom()..=self.top()).contains(&y)
    }
}

/// Places that are joined, each with one that came before it in the same cell, or itself.
struct Cells(Vec<usize>);

impl Cells {
    fn first(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}

/// Makes one line of those that are parallel and near, and of those in a row with small gaps.
fn merged(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort_by(|one, other| one.at.total_cmp(&other.at));
    let mut lines = Vec::new();
    let mut rest = rules.as_mut_slice();
    while let Some(first) = rest.first().map(|rule| rule.at) {
        let count = rest.iter().take_while(|rule| rule.at - first <= APART).count();
        let (near, others) = rest.split_at_mut(count);
        let at = (first + near[count - 1].at) / 2.0;
        near.sort_by(|one, other| one.from.total_cmp(&other.from));
        let mut line = Rule { at, ..near[0] };
        for rule in near.iter() {
            if rule.from - line.to > GAP {
                lines.push(line);
                line = Rule { at, ..*rule };
            }
            line.to = line.to.max(rule.to);
        }
        lines.push(line);
        rest = others;
    }
    lines.retain(|line| line.to - line.from >= SHORTEST);
    lines
}

/// Lines that cross or touch each other, directly or by way of others.
fn groups(horizontal: &[Rule], vertical: &[Rule]) -> Vec<(Vec<Rule>, Vec<Rule>)> {
    let mut cells = Cells((0..horizontal.len() + vertical.len()).collect());
    for (row, line) in horizontal.iter().enumerate() {
        for (column, other) in vertical.iter().enumerate() {
            if reaches(line, other.at) && reaches(other, line.at) {
                cells.join(row, horizontal.len() + column);
            }
        }
    }
    let mut groups: Vec<(Vec<Rule>, Vec<Rule>)> = vec![Default::default(); horizontal.len()];
    for (row, line) in horizontal.iter().enumerate() {
        groups[cells.first(row)].0.push(*line);
    }
    for (column, line) in vertical.iter().enumerate() {
        // One that no horizontal line touches is in a group of its own.
        if let Some(group) = groups.get_mut(cells.first(horizontal.len() + column)) {
            group.1.push(*line);
        }
    }
    groups.retain(|(rows, columns)| !rows.is_empty() && !columns.is_empty());
    groups
}

fn reaches(line: &Rule, at: f32) -> bool {
    line.from - TOUCH <= at && at <= line.to + TOUCH
}

/// Where lines stand, in order, and the ends of those that cross them, where these stick out: a side without border.
fn edges(lines: &[Rule], crossing: &[Rule]) -> Vec<f32> {
    let mut edges: Vec<f32> = lines.iter().map(|line| line.at).collect();
    edges.sort_by(f32::total_cmp);
    edges.dedup_by(|next, edge| *next - *edge < 0.01);
    let from = crossing.iter().map(|line| line.from).fold(f32::MAX, f32::min);
    let to = crossing.iter().map(|line| line.to).fold(f32::MIN, f32::max);
    if edges.first().is_some_and(|first| from < first - OPEN) {
        edges.insert(0, from);
    }
    if edges.last().is_some_and(|last| to > last + OPEN) {
        edges.push(to);
    }
    edges
}

/// Whether lines cover most of an edge.
fn is_ruled(lines: &[Rule], at: f32, from: f32, to: f32) -> bool {
    let on = lines.iter().filter(|line| (line.at - at).abs() < 0.01);
    let covered: f32 = on.map(|line| (line.to.min(to) - line.from.max(from)).max(0.0)).sum();
    covered >= COVERED * (to - from)
}
