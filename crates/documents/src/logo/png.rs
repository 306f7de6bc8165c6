//! PNG as red, green and blue, and what shines through apart, as a PDF wants them.

use png::{ColorType, Decoder, Limits, Transformations};

use crate::error::DocumentError;

/// A side of a logo: four times what is printed at 600 dots an inch.
const SIDE_MAX: u32 = 4_000;
/// Bytes while it is unpacked; a small file may hold a large picture.
const MEMORY_MAX: usize = 24 * 1024 * 1024;

pub(crate) struct Pixels {
    pub width: u32,
    pub height: u32,
    /// Three bytes a pixel.
    pub colours: Vec<u8>,
    /// One byte a pixel, none when all is opaque.
    pub opacity: Option<Vec<u8>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Pixels, DocumentError> {
    let broken = |_| DocumentError::Logo("it is no PNG; export it again");
    let mut decoder = Decoder::new_with_limits(std::io::Cursor::new(bytes), Limits { bytes: MEMORY_MAX });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(broken)?;
    let (width, height) = (reader.info().width, reader.info().height);
    if width > SIDE_MAX || height > SIDE_MAX {
        return Err(DocumentError::Logo("it has more than 4,000 pixels on a side; send a smaller one"));
    }
    let size = reader.output_buffer_size().filter(|size| *size <= MEMORY_MAX);
    let mut buffer = vec![0; size.ok_or(DocumentError::Logo("it has too many pixels; send a smaller one"))?];
    let frame = reader.next_frame(&mut buffer).map_err(broken)?;
    let pixels = buffer.get(..frame.buffer_size()).unwrap_or_default();
    let (colours, opacity): (Vec<u8>, Vec<u8>) = match frame.color_type {
        ColorType::Rgb => (pixels.to_vec(), Vec::new()),
        ColorType::Rgba => split(pixels, 4),
        ColorType::Grayscale => (pixels.iter().flat_map(|grey| [*grey; 3]).collect(), Vec::new()),
        ColorType::GrayscaleAlpha => split(pixels, 2),
        ColorType::Indexed => return Err(DocumentError::Logo("its colours can't be read; export it again")),
    };
    let is_opaque = opacity.iter().all(|byte| *byte == u8::MAX);
    Ok(Pixels { width, height, colours, opacity: (!is_opaque).then_some(opacity) })
}

/// The last byte of each pixel is how opaque it is; a single one before it is grey.
fn split(pixels: &[u8], bytes: usize) -> (Vec<u8>, Vec<u8>) {
    let colours = pixels.chunks_exact(bytes).flat_map(|pixel| match *pixel {
        [red, green, blue, _] => [red, green, blue],
        [grey, ..] => [grey; 3],
        [] => [0; 3],
    });
    let opacity = pixels.chunks_exact(bytes).filter_map(|pixel| pixel.last().copied());
    (colours.collect(), opacity.collect())
}
