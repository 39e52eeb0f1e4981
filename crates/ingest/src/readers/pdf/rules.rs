//! Ruling lines of a page: what it strokes along its edges, and what it fills that is as thin as a line.

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};

use super::page_box::origin;

/// Thickness in points up to which a filled shape is a line.
const THICKEST: f32 = 4.0;

/// How far in points the ends of a line may differ from each other in the direction that it does not go.
const STRAIGHT: f32 = 0.6;

/// Bytes of instructions, of a page and all that it draws, up to which they are looked at.
const MOST_CONTENT: usize = 32 << 20;

/// Lines of one page. A drawing has more, and no table.
const MOST_RULES: usize = 20_000;

/// Saved states and drawings inside each other.
const DEEPEST: (usize, usize) = (256, 4);

/// A straight line along one axis, in points from the lower left corner of the visible page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// Where it is: its height, if it is horizontal, else its distance from the left.
    pub(super) at: f32,
    /// Its two ends, the smaller one first.
    pub(super) from: f32,
    pub(super) to: f32,
}

/// Lines of a page.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) horizontal: Vec<Rule>,
    pub(super) vertical: Vec<Rule>,
}

impl Rules {
    /// Reads the lines of a page. One that cannot be looked at, or is full of them, has none.
    pub(super) fn of(document: &Document, page: ObjectId) -> Self {
        let (left, bottom) = origin(document, page);
        let mut pen = Pen { rules: Self::default(), path: Vec::new(), left: MOST_CONTENT };
        let state = State { matrix: [1.0, 0.0, 0.0, 1.0, -left, -bottom] };
        let resources = resources_of_page(document, page);
        let drawn = document
            .get_page_content_with_limit(page, MOST_CONTENT)
            .ok()
            .and_then(|content| pen.draw(document, &content, &resources, state, 0));
        if drawn.is_some() { pen.rules } else { Self::default() }
    }

    fn add(&mut self, (x1, y1): Point, (x2, y2): Point) {
        if ![x1, y1, x2, y2].iter().all(|number| number.is_finite()) {
            return;
        }
        let ends = |a: f32, b: f32| (a.min(b), a.max(b));
        if (y1 - y2).abs() <= STRAIGHT && (x1 - x2).abs() > STRAIGHT {
            let (from, to) = ends(x1, x2);
            self.horizontal.push(Rule { at: (y1 + y2) / 2.0, from, to });
        } else if (x1 - x2).abs() <= STRAIGHT && (y1 - y2).abs() > STRAIGHT {
            let (from, to) = ends(y1, y2);
            self.vertical.push(Rule { at: (x1 + x2) / 2.0, from, to });
        }
    }
}

type Point = (f32, f32);

/// What instructions are carried out with.
#[derive(Clone, Copy)]
struct State {
    /// From the units of the instructions to points.
    matrix: [f32; 6],
}

impl State {
    fn point(&self, x: f32, y: f32) -> Point {
        let [a, b, c, d, e, f] = self.matrix;
        (a * x + c * y + e, b * x + d * y + f)
    }

    fn concat(&mut self, inner: [f32; 6]) {
        let [a, b, c, d, e, f] = inner;
        let (e, f) = self.point(e, f);
        let [oa, ob, oc, od, ..] = self.matrix;
        self.matrix = [oa * a + oc * b, ob * a + od * b, oa * c + oc * d, ob * c + od * d, e, f];
    }
}

/// One part of a path.
#[derive(Default)]
struct Shape {
    corners: Vec<Point>,
    /// Straight lines between its corners.
    lines: Vec<(Point, Point)>,
}

impl Shape {
    fn line_to(&mut self, point: Point) {
        if let Some(&last) = self.corners.last() {
            self.lines.push((last, point));
        }
        self.corners.push(point);
    }

    fn close(&mut self) {
        if let Some(&first) = self.corners.first() {
            self.line_to(first);
        }
    }

    /// The line that a filled shape is, if it is as thin as one.
    fn as_line(&self) -> Option<(Point, Point)> {
        let along = |axis: fn(&Point) -> f32| {
            let values = self.corners.iter().map(axis);
            (values.clone().fold(f32::MAX, f32::min), values.fold(f32::MIN, f32::max))
        };
        let ((left, right), (bottom, top)) = (along(|point| point.0), along(|point| point.1));
        let (width, height) = (right - left, top - bottom);
        let (x, y) = ((left + right) / 2.0, (bottom + top) / 2.0);
        if height <= THICKEST && width > height {
            Some(((left, y), (right, y)))
        } else if width <= THICKEST && height > width {
            Some(((x, bottom), (x, top)))
        } else {
            None
        }
    }
}

struct Pen {
    rules: Rules,
    path: Vec<Shape>,
    /// Bytes that may yet be looked at.
    left: usize,
}

impl Pen {
    /// Carries out instructions; none when there are too many.
    fn draw(
        &mut self,
        document: &Document,
        content: &[u8],
        resources: &[&Dictionary],
        mut state: State,
        depth: usize,
    ) -> Option<()> {
        self.left = self.left.checked_sub(content.len())?;
        let mut saved = Vec::new();
        for operation in Content::decode(content).ok()?.operations {
            match operation.operator.as_str() {
                "q" if saved.len() < DEEPEST.0 => saved.push(state),
                "Q" => state = saved.pop().unwrap_or(state),
                "cm" => state.concat(numbers(&operation)?),
                "Do" if depth < DEEPEST.1 => {
                    self.draw_form(document, &operation, resources, state, depth);
                }
                _ => self.follow(&operation, &state),
            }
            if self.rules.horizontal.len() + self.rules.vertical.len() > MOST_RULES || self.path.len() > MOST_RULES {
                return None;
            }
        }
        Some(())
    }

    fn draw_form(
        &mut self,
        document: &Document,
        operation: &Operation,
        resources: &[&Dictionary],
        mut state: State,
        depth: usize,
    ) -> Option<()> {
        let name = operation.operands.first()?.as_name().ok()?;
        let form = resources.iter().find_map(|resources| form(document, resources, name))?;
        if let Ok(matrix) = form.dict.get_deref(b"Matrix", document).and_then(Object::as_array) {
            let matrix: Vec<f32> = matrix.iter().filter_map(|number| number.as_float().ok()).collect();
            state.concat(matrix.try_into().ok()?);
        }
        let content = form.decompressed_content_with_limit(self.left).ok()?;
        let own: Vec<&Dictionary> =
            form.dict.get_deref(b"Resources", document).and_then(Object::as_dict).into_iter().collect();
        self.draw(document, &content, if own.is_empty() { resources } else { &own }, state, depth + 1)
    }

    /// Goes on with the path, or paints it.
    fn follow(&mut self, operation: &Operation, state: &State) {
        match operation.operator.as_str() {
            "m" => {
                if let Some([x, y]) = numbers(operation) {
                    self.path.push(Shape { corners: vec![state.point(x, y)], lines: Vec::new() });
                }
            }
            "l" => {
                if let (Some([x, y]), Some(shape)) = (numbers(operation), self.path.last_mut()) {
                    shape.line_to(state.point(x, y));
                }
            }
            // The end of a curve: its last two numbers.
            "c" | "v" | "y" => {
                let end: Vec<f32> = operation.operands.iter().filter_map(|number| number.as_float().ok()).collect();
                if let ([.., x, y], Some(shape)) = (end.as_slice(), self.path.last_mut()) {
                    shape.corners.push(state.point(*x, *y));
                }
            }
            "h" => self.close(),
            "re" => {
                if let Some([x, y, width, height]) = numbers(operation) {
                    let mut shape = Shape::default();
                    for (x, y) in [(x, y), (x + width, y), (x + width, y + height), (x, y + height)] {
                        shape.line_to(state.point(x, y));
                    }
                    shape.close();
                    self.path.push(shape);
                }
            }
            "S" => self.stroke(),
            "s" => {
                self.close();
                self.stroke();
            }
            "f" | "F" | "f*" => self.fill(),
            "B" | "B*" => self.stroke(),
            "b" | "b*" => {
                self.close();
                self.stroke();
            }
            "n" => self.path.clear(),
            _ => {}
        }
    }

    fn close(&mut self) {
        if let Some(shape) = self.path.last_mut() {
            shape.close();
        }
    }

    /// Each edge that is stroked is a line; a shape as thin as one is one line, not two.
    fn stroke(&mut self) {
        for shape in std::mem::take(&mut self.path) {
            match shape.as_line().filter(|_| shape.lines.len() > 2) {
                Some((from, to)) => self.rules.add(from, to),
                None => shape.lines.iter().for_each(|&(from, to)| self.rules.add(from, to)),
            }
        }
    }

    fn fill(&mut self) {
        for (from, to) in std::mem::take(&mut self.path).iter().filter_map(Shape::as_line) {
            self.rules.add(from, to);
        }
    }
}

/// The numbers of an instruction, if it has so many.
fn numbers<const COUNT: usize>(operation: &Operation) -> Option<[f32; COUNT]> {
    let numbers: Vec<f32> = operation.operands.iter().filter_map(|number| number.as_float().ok()).collect();
    numbers.try_into().ok()
}

fn resources_of_page(document: &Document, page: ObjectId) -> Vec<&Dictionary> {
    let Ok((own, inherited)) = document.get_page_resources(page) else { return Vec::new() };
    own.into_iter().chain(inherited.into_iter().filter_map(|id| document.get_dictionary(id).ok())).collect()
}

/// A drawing of its own that resources name.
fn form<'a>(document: &'a Document, resources: &'a Dictionary, name: &[u8]) -> Option<&'a Stream> {
    let named = resources.get_deref(b"XObject", document).ok()?.as_dict().ok()?;
    let stream = named.get_deref(name, document).ok()?.as_stream().ok()?;
    let is_form = stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Form");
    is_form.then_some(stream)
}
