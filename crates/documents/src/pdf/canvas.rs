//! What is drawn on one page, from the top left corner in points.

use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Name, Str, TextStr};

use crate::logo::{Ink, Picture, Shape, Step};
use crate::text::{Cluster, Glyph, Segment, SetLine};

/// A4.
pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;

/// The name under which pages know the picture of the logo.
pub const LOGO: &[u8] = b"Logo";

/// How heavy the outline of a font without a bold face is drawn, as a part of its size.
const STROKE: f32 = 0.028;

/// Where something is, and how large.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// The name of a font in the pages' resources.
pub fn font_name(index: usize) -> String {
    format!("F{index}")
}

pub struct Canvas {
    content: Content,
}

impl Canvas {
    pub fn new() -> Self {
        Self { content: Content::new() }
    }

    pub fn finish(self) -> Vec<u8> {
        self.content.finish().into_vec()
    }

    pub fn fill(&mut self, area: Area, Ink(red, green, blue): Ink) {
        self.content.set_fill_rgb(red, green, blue);
        self.content.rect(area.x, HEIGHT - area.y - area.height, area.width, area.height).fill_nonzero();
    }

    /// Text whose letters stand on `y`.
    pub fn text(&mut self, line: &SetLine, x: f32, y: f32, ink: Ink) {
        self.set(line, [1.0, 0.0, 0.0, 1.0, x, HEIGHT - y], ink);
    }

    /// Text that climbs across the page, centred.
    pub fn slanted(&mut self, line: &SetLine, ink: Ink) {
        // 32 degrees.
        let (cosine, sine) = (0.848, 0.53);
        let (back, down) = (line.width / 2.0, line.size / 3.0);
        let x = WIDTH / 2.0 - back * cosine + down * sine;
        let y = HEIGHT / 2.0 - back * sine - down * cosine;
        self.set(line, [cosine, sine, -sine, cosine, x, y], ink);
    }

    /// The logo, as large as fits the area, in its top left corner.
    pub fn picture(&mut self, picture: &Picture, area: Area) {
        let (width, height) = picture.size();
        let scale = (area.width / width).min(area.height / height);
        let (x, y) = (area.x, HEIGHT - area.y);
        self.content.save_state();
        match picture {
            Picture::Pixels(_) => {
                self.content.transform([width * scale, 0.0, 0.0, height * scale, x, y - height * scale].map(rounded));
                self.content.x_object(Name(LOGO));
            }
            Picture::Drawing(drawing) => {
                self.content.transform([scale, 0.0, 0.0, -scale, x - drawing.left * scale, y + drawing.top * scale].map(rounded));
                drawing.shapes.iter().for_each(|shape| self.shape(shape));
            }
        }
        self.content.restore_state();
    }

    fn shape(&mut self, shape: &Shape) {
        self.content.save_state().transform(shape.transform);
        for step in &shape.steps {
            match *step {
                Step::Move(x, y) => self.content.move_to(x, y),
                Step::Line(x, y) => self.content.line_to(x, y),
                Step::Curve(x1, y1, x2, y2, x, y) => self.content.cubic_to(x1, y1, x2, y2, x, y),
                Step::Close => self.content.close_path(),
            };
        }
        if let Some(Ink(red, green, blue)) = shape.fill {
            self.content.set_fill_rgb(red, green, blue);
        }
        if let Some((Ink(red, green, blue), width)) = shape.stroke {
            self.content.set_stroke_rgb(red, green, blue).set_line_width(width);
        }
        match (shape.fill, shape.stroke, shape.is_even_odd) {
            (Some(_), Some(_), false) => self.content.fill_nonzero_and_stroke(),
            (Some(_), Some(_), true) => self.content.fill_even_odd_and_stroke(),
            (Some(_), None, false) => self.content.fill_nonzero(),
            (Some(_), None, true) => self.content.fill_even_odd(),
            (None, Some(_), _) => self.content.stroke(),
            (None, None, _) => self.content.end_path(),
        };
        self.content.restore_state();
    }

    fn set(&mut self, line: &SetLine, [a, b, c, d, x, y]: [f32; 6], Ink(red, green, blue): Ink) {
        self.content.begin_text().set_fill_rgb(red, green, blue).set_stroke_rgb(red, green, blue);
        let mut walked = 0.0;
        for segment in &line.segments {
            self.content.set_font(Name(font_name(segment.font).as_bytes()), line.size);
            self.content.set_text_matrix([a, b, c, d, rounded(x + walked * a), rounded(y + walked * b)]);
            if segment.is_stroked {
                self.content.set_text_rendering_mode(TextRenderingMode::FillStroke).set_line_width(rounded(line.size * STROKE));
            }
            walked += self.show(segment, line.size) * line.size / 1000.0;
            if segment.is_stroked {
                self.content.set_text_rendering_mode(TextRenderingMode::Fill);
            }
        }
        self.content.end_text();
    }

    /// Answers how far it went, in thousandths.
    fn show(&mut self, segment: &Segment, size: f32) -> f32 {
        let mut pending: Vec<Shown> = Vec::new();
        let mut walked = 0.0;
        for cluster in segment.clusters.iter() {
            // What several glyphs show together is said once beside them.
            match &cluster.text {
                Some(text) => {
                    self.flush(&mut pending);
                    self.group(cluster, text, size);
                }
                None => cluster.glyphs.iter().for_each(|glyph| self.glyph(glyph, size, &mut pending)),
            }
            walked += cluster.glyphs.iter().map(|glyph| glyph.advance).sum::<f32>();
        }
        self.flush(&mut pending);
        walked
    }

    fn group(&mut self, cluster: &Cluster, text: &str, size: f32) {
        let mut pending = Vec::new();
        {
            let mut span = self.content.begin_marked_content_with_properties(Name(b"Span"));
            span.properties().actual_text(TextStr(text));
        }
        cluster.glyphs.iter().for_each(|glyph| self.glyph(glyph, size, &mut pending));
        self.flush(&mut pending);
        self.content.end_marked_content();
    }

    fn glyph(&mut self, glyph: &Glyph, size: f32, pending: &mut Vec<Shown>) {
        let before = -glyph.x_offset;
        let after = glyph.x_offset + glyph.width - glyph.advance;
        let is_raised = glyph.y_offset != 0.0;
        if is_raised {
            self.flush(pending);
        }
        pending.push(Shown::Adjust(before));
        pending.push(Shown::Code(glyph.code));
        pending.push(Shown::Adjust(after));
        if is_raised {
            self.content.set_rise(rounded(glyph.y_offset * size / 1000.0));
            self.flush(pending);
            self.content.set_rise(0.0);
        }
    }

    fn flush(&mut self, pending: &mut Vec<Shown>) {
        if pending.is_empty() {
            return;
        }
        let mut operation = self.content.show_positioned();
        let mut items = operation.items();
        let mut bytes: Vec<u8> = Vec::new();
        let mut adjust = 0.0;
        for shown in pending.drain(..) {
            match shown {
                Shown::Adjust(by) => adjust += by,
                Shown::Code(code) => {
                    if rounded(adjust) != 0.0 {
                        if !bytes.is_empty() {
                            items.show(Str(&bytes));
                            bytes.clear();
                        }
                        items.adjust(rounded(adjust));
                    }
                    adjust = 0.0;
                    bytes.extend(code.to_be_bytes());
                }
            }
        }
        if !bytes.is_empty() {
            items.show(Str(&bytes));
        }
        if rounded(adjust) != 0.0 {
            items.adjust(rounded(adjust));
        }
    }
}

enum Shown {
    /// Back by so many thousandths.
    Adjust(f32),
    Code(u16),
}

/// Thousandths of a point are finer than any printer, and short to write.
pub fn rounded(length: f32) -> f32 {
    (length * 1000.0).round() / 1000.0
}
