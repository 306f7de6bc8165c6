//! SVG as outlines. Logos are shapes in plain colours; what is more than that is refused with what to do instead, so that a logo never
//! prints differently from how it looks.

use std::str::FromStr;

use roxmltree::{Node, ParsingOptions};
use svgtypes::{Color, Length, LengthUnit, Paint, PointsParser, SimplePathSegment, SimplifyingPathParser, Transform, ViewBox};

use super::{Ink, Shape, Step};
use crate::error::DocumentError;

/// Elements and steps of one logo.
const ELEMENTS_MAX: usize = 2_000;
const STEPS_MAX: usize = 50_000;
/// Groups in groups.
const DEPTH_MAX: usize = 32;
/// How far the handles of a quarter circle reach.
const KAPPA: f32 = 0.552_284_8;

const BROKEN: DocumentError = DocumentError::Logo("it is no SVG with a size or a viewBox; export it again");
const NOT_DRAWN: DocumentError =
    DocumentError::Logo("only shapes in plain colours are printed; turn texts into outlines and effects into plain colours, or send a PNG");

pub(crate) struct Drawing {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
    pub shapes: Vec<Shape>,
}

/// What an element inherits.
#[derive(Clone)]
struct Look {
    transform: Transform,
    fill: Option<Ink>,
    stroke: Option<Ink>,
    stroke_width: f32,
    opacity: [f32; 3],
    is_even_odd: bool,
}

pub(super) fn read(text: &str) -> Result<Drawing, DocumentError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(ELEMENTS_MAX.saturating_mul(4)).unwrap_or(u32::MAX),
        ..Default::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(|_| BROKEN)?;
    let root = document.root_element();
    let (left, top, width, height) = frame(root)?;
    let mut shapes = Vec::new();
    let black = Ink(0.0, 0.0, 0.0);
    let look =
        Look { transform: Transform::default(), fill: Some(black), stroke: None, stroke_width: 1.0, opacity: [1.0; 3], is_even_odd: false };
    children(root, &look.of(root)?, DEPTH_MAX, &mut shapes)?;
    if shapes.iter().map(|shape| shape.steps.len()).sum::<usize>() > STEPS_MAX {
        return Err(DocumentError::Logo("it is too detailed; simplify it, or send a PNG"));
    }
    Ok(Drawing { left, top, width, height, shapes })
}

fn frame(root: Node<'_, '_>) -> Result<(f32, f32, f32, f32), DocumentError> {
    let side = |name| number(root, name).filter(|side| *side > 0.0);
    let view = root.attribute("viewBox").and_then(|text| ViewBox::from_str(text).ok());
    let (left, top, width, height) = match view {
        Some(view) => (view.x as f32, view.y as f32, view.w as f32, view.h as f32),
        None => (0.0, 0.0, side("width").ok_or(BROKEN)?, side("height").ok_or(BROKEN)?),
    };
    let is_sound =
        root.tag_name().name() == "svg" && width > 0.0 && height > 0.0 && [left, top, width, height].iter().all(|side| side.is_finite());
    if is_sound { Ok((left, top, width, height)) } else { Err(BROKEN) }
}

fn children(parent: Node<'_, '_>, look: &Look, depth: usize, shapes: &mut Vec<Shape>) -> Result<(), DocumentError> {
    let depth = depth.checked_sub(1).ok_or(NOT_DRAWN)?;
    for node in parent.children().filter(Node::is_element) {
        if shapes.len() >= ELEMENTS_MAX {
            return Err(NOT_DRAWN);
        }
        let look = look.of(node)?;
        match node.tag_name().name() {
            "title" | "desc" | "metadata" | "namedview" => {}
            "defs" if !node.has_children() || node.children().all(|child| !child.is_element()) => {}
            "g" => children(node, &look, depth, shapes)?,
            _ => shapes.push(look.shape(steps(node)?)),
        }
    }
    Ok(())
}

impl Look {
    /// With what an element says itself, in attributes or in its style.
    fn of(&self, node: Node<'_, '_>) -> Result<Self, DocumentError> {
        let mut look = self.clone();
        let attributes =
            node.attributes().filter(|attribute| attribute.namespace().is_none()).map(|attribute| (attribute.name(), attribute.value()));
        let style = node.attribute("style").into_iter().flat_map(|style| style.split(';')).filter_map(|rule| rule.split_once(':'));
        for (name, value) in attributes.chain(style) {
            look.say(name.trim(), value.trim())?;
        }
        Ok(look)
    }

    fn say(&mut self, name: &str, value: &str) -> Result<(), DocumentError> {
        let [fill, stroke, whole] = &mut self.opacity;
        match name {
            "transform" => self.transform = joined(&self.transform, &Transform::from_str(value).map_err(|_| NOT_DRAWN)?),
            "fill" => self.fill = paint(value, self.fill)?,
            "stroke" => self.stroke = paint(value, self.stroke)?,
            "stroke-width" => self.stroke_width = value.trim_end_matches("px").parse().map_err(|_| NOT_DRAWN)?,
            "fill-rule" => self.is_even_odd = value == "evenodd",
            "fill-opacity" => *fill = share(value)?,
            "stroke-opacity" => *stroke = share(value)?,
            "opacity" => *whole *= share(value)?,
            "display" if value == "none" => return Err(NOT_DRAWN),
            "class" | "filter" | "mask" | "clip-path" | "mix-blend-mode" | "visibility" | "stroke-dasharray" if value != "none" => {
                return Err(NOT_DRAWN);
            }
            _ => {}
        }
        Ok(())
    }

    fn shape(&self, steps: Vec<Step>) -> Shape {
        let [fill, stroke, whole] = self.opacity;
        let Transform { a, b, c, d, e, f } = self.transform;
        Shape {
            transform: [a, b, c, d, e, f].map(|number| number as f32),
            steps,
            fill: self.fill.map(|ink| on_white(ink, fill * whole)),
            stroke: self.stroke.filter(|_| self.stroke_width > 0.0).map(|ink| (on_white(ink, stroke * whole), self.stroke_width)),
            is_even_odd: self.is_even_odd,
        }
    }
}

/// First the inner one, then the outer one.
fn joined(outer: &Transform, inner: &Transform) -> Transform {
    Transform {
        a: outer.a * inner.a + outer.c * inner.b,
        b: outer.b * inner.a + outer.d * inner.b,
        c: outer.a * inner.c + outer.c * inner.d,
        d: outer.b * inner.c + outer.d * inner.d,
        e: outer.a * inner.e + outer.c * inner.f + outer.e,
        f: outer.b * inner.e + outer.d * inner.f + outer.f,
    }
}

/// Paper is white, so what shines through is that much lighter.
fn on_white(Ink(red, green, blue): Ink, opacity: f32) -> Ink {
    let mixed = |part: f32| 1.0 - (1.0 - part) * opacity;
    Ink(mixed(red), mixed(green), mixed(blue))
}

fn share(value: &str) -> Result<f32, DocumentError> {
    let share = match value.strip_suffix('%') {
        Some(percent) => percent.parse::<f32>().map(|percent| percent / 100.0),
        None => value.parse::<f32>(),
    };
    share.ok().filter(|share| (0.0..=1.0).contains(share)).ok_or(NOT_DRAWN)
}

fn paint(value: &str, inherited: Option<Ink>) -> Result<Option<Ink>, DocumentError> {
    match Paint::from_str(value).map_err(|_| NOT_DRAWN)? {
        Paint::None => Ok(None),
        Paint::Inherit => Ok(inherited),
        Paint::CurrentColor => Ok(Some(Ink(0.0, 0.0, 0.0))),
        Paint::Color(Color { red, green, blue, alpha }) => {
            let part = |byte: u8| f32::from(byte) / 255.0;
            Ok(Some(on_white(Ink(part(red), part(green), part(blue)), part(alpha))))
        }
        Paint::FuncIRI(..) | Paint::ContextFill | Paint::ContextStroke => Err(NOT_DRAWN),
    }
}

/// A length in the drawing's own units.
fn number(node: Node<'_, '_>, name: &str) -> Option<f32> {
    let length = Length::from_str(node.attribute(name)?).ok()?;
    matches!(length.unit, LengthUnit::None | LengthUnit::Px).then_some(length.number as f32)
}

fn steps(node: Node<'_, '_>) -> Result<Vec<Step>, DocumentError> {
    let get = |name| match node.attribute(name) {
        Some(_) => number(node, name).filter(|number| number.is_finite()).ok_or(NOT_DRAWN),
        None => Ok(0.0),
    };
    match node.tag_name().name() {
        "path" => path(node.attribute("d").unwrap_or_default()),
        "rect" => {
            let (rx, ry) = (get("rx")?, get("ry")?);
            let (rx, ry) = (if rx > 0.0 { rx } else { ry }, if ry > 0.0 { ry } else { rx });
            Ok(rectangle(get("x")?, get("y")?, get("width")?, get("height")?, rx, ry))
        }
        "circle" => Ok(ellipse(get("cx")?, get("cy")?, get("r")?, get("r")?)),
        "ellipse" => Ok(ellipse(get("cx")?, get("cy")?, get("rx")?, get("ry")?)),
        "line" => Ok(vec![Step::Move(get("x1")?, get("y1")?), Step::Line(get("x2")?, get("y2")?)]),
        "polyline" => Ok(points(node, false)),
        "polygon" => Ok(points(node, true)),
        _ => Err(NOT_DRAWN),
    }
}

fn path(data: &str) -> Result<Vec<Step>, DocumentError> {
    let (mut steps, mut pen) = (Vec::new(), (0.0_f32, 0.0_f32));
    for segment in SimplifyingPathParser::from(data) {
        let step = match segment.map_err(|_| NOT_DRAWN)? {
            SimplePathSegment::MoveTo { x, y } => Step::Move(x as f32, y as f32),
            SimplePathSegment::LineTo { x, y } => Step::Line(x as f32, y as f32),
            SimplePathSegment::CurveTo { x1, y1, x2, y2, x, y } => {
                Step::Curve(x1 as f32, y1 as f32, x2 as f32, y2 as f32, x as f32, y as f32)
            }
            SimplePathSegment::Quadratic { x1, y1, x, y } => raised(pen, (x1 as f32, y1 as f32), (x as f32, y as f32)),
            SimplePathSegment::ClosePath => Step::Close,
        };
        if let Step::Move(x, y) | Step::Line(x, y) | Step::Curve(.., x, y) = step {
            if !x.is_finite() || !y.is_finite() {
                return Err(NOT_DRAWN);
            }
            pen = (x, y);
        }
        steps.push(step);
    }
    Ok(steps)
}

/// A curve with one handle as the same curve with two.
fn raised(from: (f32, f32), handle: (f32, f32), to: (f32, f32)) -> Step {
    let third = |end: f32, handle: f32| end + (handle - end) * 2.0 / 3.0;
    Step::Curve(third(from.0, handle.0), third(from.1, handle.1), third(to.0, handle.0), third(to.1, handle.1), to.0, to.1)
}

fn points(node: Node<'_, '_>, is_closed: bool) -> Vec<Step> {
    let points = PointsParser::from(node.attribute("points").unwrap_or_default());
    let step = |(index, (x, y)): (usize, (f64, f64))| {
        if index == 0 { Step::Move(x as f32, y as f32) } else { Step::Line(x as f32, y as f32) }
    };
    points.enumerate().map(step).chain(is_closed.then_some(Step::Close)).collect()
}

fn rectangle(x: f32, y: f32, width: f32, height: f32, rx: f32, ry: f32) -> Vec<Step> {
    let (rx, ry) = (rx.min(width / 2.0), ry.min(height / 2.0));
    let (right, bottom) = (x + width, y + height);
    if rx <= 0.0 || ry <= 0.0 {
        return vec![Step::Move(x, y), Step::Line(right, y), Step::Line(right, bottom), Step::Line(x, bottom), Step::Close];
    }
    let (hx, hy) = (rx * (1.0 - KAPPA), ry * (1.0 - KAPPA));
    vec![
        Step::Move(x + rx, y),
        Step::Line(right - rx, y),
        Step::Curve(right - hx, y, right, y + hy, right, y + ry),
        Step::Line(right, bottom - ry),
        Step::Curve(right, bottom - hy, right - hx, bottom, right - rx, bottom),
        Step::Line(x + rx, bottom),
        Step::Curve(x + hx, bottom, x, bottom - hy, x, bottom - ry),
        Step::Line(x, y + ry),
        Step::Curve(x, y + hy, x + hx, y, x + rx, y),
        Step::Close,
    ]
}

fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Vec<Step> {
    rectangle(cx - rx, cy - ry, rx * 2.0, ry * 2.0, rx, ry)
}
