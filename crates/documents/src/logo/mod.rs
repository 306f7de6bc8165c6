//! Logos as what a PDF can draw: pixels, or shapes.

mod png;
mod svg;

pub(crate) use self::png::Pixels;
pub(crate) use self::svg::Drawing;
use crate::document::Logo;
use crate::error::DocumentError;

/// Red, green, blue from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink(pub f32, pub f32, pub f32);

/// A logo that was read.
pub(crate) enum Picture {
    Pixels(Pixels),
    Drawing(Drawing),
}

/// One outline and how it is painted.
#[derive(Debug)]
pub(crate) struct Shape {
    pub transform: [f32; 6],
    pub steps: Vec<Step>,
    pub fill: Option<Ink>,
    pub stroke: Option<(Ink, f32)>,
    pub is_even_odd: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Move(f32, f32),
    Line(f32, f32),
    Curve(f32, f32, f32, f32, f32, f32),
    Close,
}

impl Picture {
    pub fn of(logo: &Logo) -> Result<Self, DocumentError> {
        match logo {
            Logo::Png(bytes) => png::read(bytes).map(Self::Pixels),
            Logo::Svg(text) => svg::read(text).map(Self::Drawing),
        }
    }

    pub fn size(&self) -> (f32, f32) {
        match self {
            Self::Pixels(pixels) => (pixels.width as f32, pixels.height as f32),
            Self::Drawing(drawing) => (drawing.width, drawing.height),
        }
    }
}

impl Logo {
    /// Whether it can be printed, so that it can be refused when somebody brings it and not when an invoice is made.
    ///
    /// # Errors
    /// It is no such picture, or holds what we do not draw; the message says what to do instead.
    pub fn check(&self) -> Result<(), DocumentError> {
        Picture::of(self).map(|_| ())
    }
}
