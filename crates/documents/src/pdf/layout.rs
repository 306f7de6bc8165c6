//! Where everything stands: the head of the first page, the table over as many pages as it takes, the sums, the notes.

use super::canvas::{Area, Canvas, HEIGHT, WIDTH};
use crate::logo::{Ink, Picture};
use crate::sheet::{Badge, Block, Row, Sheet, Tone};
use crate::text::{SetLine, Style, Typesetter};

const MARGIN: f32 = 48.0;
const TOP: f32 = 46.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;
const RIGHT: f32 = WIDTH - MARGIN;
/// From the bottom edge to the lowest line of small print.
const BOTTOM: f32 = 34.0;
/// Small print beyond these lines is cut off: it stands on every page.
const FOOTER_LINES_MAX: usize = 4;
/// An address beyond these lines is cut off: a head that fills the page bills nothing.
const BLOCK_LINES_MAX: usize = 18;
/// Letters stand on a line that is so much of it below its top.
const BASELINE: f32 = 0.76;
const LEADING: f32 = 1.38;
const SUMS_WIDTH: f32 = 250.0;

const INK: Ink = Ink(0.086, 0.125, 0.18);
const SOFT: Ink = Ink(0.365, 0.42, 0.494);
const RULE: Ink = Ink(0.875, 0.894, 0.918);
const TINT: Ink = Ink(0.961, 0.969, 0.976);
const ACCENT: Ink = Ink(0.122, 0.373, 0.749);
const FAINT: Ink = Ink(0.935, 0.939, 0.945);

const fn plain(size: f32) -> Style {
    Style { size, is_bold: false }
}

const fn bold(size: f32) -> Style {
    Style { size, is_bold: true }
}

const BODY: Style = plain(9.0);
const SMALL: Style = plain(8.0);
const LABEL: Style = bold(8.0);
const PRINT: Style = plain(7.5);

/// The content of each page.
pub fn pages(sheet: &Sheet, picture: Option<&Picture>, typesetter: &mut Typesetter<'_>) -> Vec<Vec<u8>> {
    let footer = typesetter.wrap(&sheet.footer, PRINT, INNER - 90.0);
    let footer: Vec<SetLine> = footer.into_iter().take(FOOTER_LINES_MAX).collect();
    let small_print = height(&footer).max(PRINT.size * LEADING);
    let mut flow = Flow { sheet, typesetter, pages: Vec::new(), y: TOP, floor: HEIGHT - BOTTOM - small_print - 14.0 };
    flow.open_page();
    flow.head(picture);
    flow.table();
    flow.sums();
    flow.notes();
    flow.finish(&footer)
}

struct Flow<'s, 't, 'f> {
    sheet: &'s Sheet,
    typesetter: &'t mut Typesetter<'f>,
    pages: Vec<Canvas>,
    /// How far down the page is full.
    y: f32,
    /// How far down it may be.
    floor: f32,
}

/// The columns of the table: their right edges, and the width of the first.
struct Grid {
    description: f32,
    quantity: (f32, f32),
    unit_price: (f32, f32),
    tax: (f32, f32),
    amount: (f32, f32),
}

fn height(lines: &[SetLine]) -> f32 {
    lines.iter().map(|line| line.size * LEADING).sum()
}

impl Flow<'_, '_, '_> {
    fn draw(&mut self, draw: impl FnOnce(&mut Canvas)) {
        if let Some(page) = self.pages.last_mut() {
            draw(page);
        }
    }

    fn open_page(&mut self) {
        let mut page = Canvas::new();
        if let Some(word) = self.sheet.watermark {
            page.slanted(&self.typesetter.line(word, bold(112.0)), FAINT);
        }
        let is_first = self.pages.is_empty();
        self.pages.push(page);
        self.y = TOP;
        if is_first {
            return;
        }
        // The pages that follow say what they belong to.
        let title = self.typesetter.line(&self.sheet.title, bold(8.5));
        let seller = self.typesetter.line(&self.sheet.seller.name, plain(8.5));
        self.put(&title, MARGIN, INK);
        self.put(&seller, RIGHT - seller.width, SOFT);
        self.y += 26.0;
    }

    /// Begins a page where there is no room for so much. Answers whether it did.
    fn make_room(&mut self, height: f32) -> bool {
        let is_full = self.y + height > self.floor;
        if is_full {
            self.open_page();
        }
        is_full
    }

    /// A line at the present height, which stays.
    fn put(&mut self, line: &SetLine, x: f32, ink: Ink) {
        let y = self.y + line.size * LEADING * BASELINE;
        self.draw(|page| page.text(line, x, y, ink));
    }

    fn put_down(&mut self, line: &SetLine, x: f32, ink: Ink) {
        self.put(line, x, ink);
        self.y += line.size * LEADING;
    }

    fn rule(&mut self, x: f32, width: f32, weight: f32, ink: Ink) {
        let area = Area { x, y: self.y, width, height: weight };
        self.draw(|page| page.fill(area, ink));
    }

    fn head(&mut self, picture: Option<&Picture>) {
        let (sheet, top) = (self.sheet, self.y);
        match picture {
            Some(picture) => {
                let area = Area { x: MARGIN, y: top, width: 180.0, height: 50.0 };
                self.draw(|page| page.picture(picture, area));
                self.y = top + 50.0;
            }
            None => {
                self.typesetter.wrap(&sheet.seller.name, bold(15.0), 260.0).iter().take(3).for_each(|line| self.put_down(line, MARGIN, INK))
            }
        }
        let left = self.y;
        self.y = top - 5.0;
        for (text, style, ink) in [(sheet.heading, bold(23.0), INK), (sheet.number.as_str(), plain(10.5), SOFT)] {
            for line in self.typesetter.wrap(text, style, 220.0) {
                self.put_down(&line, RIGHT - line.width, ink);
            }
        }
        if let Some(badge) = &sheet.badge {
            self.badge(badge);
        }
        self.y = self.y.max(left) + 28.0;
        let top = self.y;
        let mut lowest = top;
        for (block, x) in [(&sheet.customer, MARGIN), (&sheet.seller, MARGIN + 152.0)] {
            self.y = top;
            self.block(block, x, 140.0);
            lowest = lowest.max(self.y);
        }
        self.y = top;
        self.facts(MARGIN + 304.0);
        self.y = lowest.max(self.y) + 24.0;
        self.headline();
    }

    fn badge(&mut self, badge: &Badge) {
        let (ground, ink) = match badge.tone {
            Tone::Calm => (Ink(0.91, 0.922, 0.937), Ink(0.275, 0.322, 0.392)),
            Tone::Good => (Ink(0.875, 0.953, 0.902), Ink(0.09, 0.404, 0.227)),
            Tone::Bad => (Ink(0.992, 0.898, 0.89), Ink(0.639, 0.153, 0.11)),
        };
        let line = self.typesetter.line(badge.text, LABEL);
        self.y += 4.0;
        let area = Area { x: RIGHT - line.width - 14.0, y: self.y, width: line.width + 14.0, height: 15.0 };
        self.draw(|page| page.fill(area, ground));
        self.y += 2.0;
        self.put(&line, RIGHT - line.width - 7.0, ink);
        self.y += 13.0;
    }

    fn block(&mut self, block: &Block, x: f32, width: f32) {
        let heading = self.typesetter.line(block.heading, LABEL);
        self.put_down(&heading, x, SOFT);
        self.y += 2.0;
        let mut lines = self.typesetter.wrap(&block.name, bold(9.5), width);
        for text in &block.lines {
            lines.extend(self.typesetter.wrap(text, BODY, width));
        }
        lines.iter().take(BLOCK_LINES_MAX).for_each(|line| self.put_down(line, x, INK));
    }

    fn facts(&mut self, x: f32) {
        let sheet = self.sheet;
        for fact in &sheet.facts {
            let label = self.typesetter.line(fact.label, BODY);
            let lines = self.typesetter.wrap(&fact.value, BODY, (RIGHT - x - label.width - 10.0).max(60.0));
            // A long label has its line to itself.
            let is_tight = lines.len() > 1 && lines.iter().any(|line| line.width + label.width + 10.0 > RIGHT - x);
            self.put(&label, x, SOFT);
            if is_tight {
                self.y += BODY.size * LEADING;
            }
            lines.iter().for_each(|line| self.put_down(line, RIGHT - line.width, INK));
            self.y += 2.0;
        }
    }

    fn headline(&mut self) {
        let amount = self.typesetter.line(&self.sheet.headline.amount, bold(17.0));
        let captions = self.typesetter.wrap(&self.sheet.headline.caption, plain(10.0), INNER - 32.0);
        let beside = captions.len() == 1 && captions.iter().all(|caption| caption.width + amount.width + 46.0 < INNER);
        let tall = if beside { 40.0 } else { 38.0 + height(&captions) };
        let top = self.y;
        for (x, width, ink) in [(MARGIN, INNER, TINT), (MARGIN, 3.0, ACCENT)] {
            self.draw(|page| page.fill(Area { x, y: top, width, height: tall }, ink));
        }
        self.y = top + 8.0;
        self.put(&amount, MARGIN + 16.0, INK);
        if beside {
            self.y = top + 8.0 + (17.0 - 10.0) * LEADING * BASELINE;
            captions.iter().for_each(|caption| self.put(caption, MARGIN + 16.0 + amount.width + 10.0, SOFT));
        } else {
            self.y = top + 33.0;
            captions.iter().for_each(|caption| self.put_down(caption, MARGIN + 16.0, SOFT));
        }
        self.y = top + tall + 22.0;
    }

    /// Numbers get the width they need, the description what is left.
    fn grid(&mut self) -> Grid {
        let sheet = self.sheet;
        let columns = &sheet.columns;
        let mut widest = |heading: &str, cell: fn(&Row) -> &str, max: f32| {
            let cells = sheet.rows.iter().map(|row| self.typesetter.line(cell(row), BODY).width).fold(0.0, f32::max);
            self.typesetter.line(heading, LABEL).width.max(cells).min(max)
        };
        let amount = widest(&columns.amount, |row| &row.amount, 120.0);
        let tax = columns.tax.map_or(0.0, |heading| widest(heading, |row| &row.tax, 70.0));
        let unit_price = widest(columns.unit_price, |row| &row.unit_price, 100.0);
        let quantity = widest(columns.quantity, |row| &row.quantity, 80.0);
        let gap = 16.0;
        let tax_edge = RIGHT - amount - gap;
        let price_edge = if columns.tax.is_some() { tax_edge - tax - gap } else { tax_edge };
        let quantity_edge = price_edge - unit_price - gap;
        Grid {
            description: quantity_edge - quantity - gap - MARGIN,
            quantity: (quantity_edge, quantity),
            unit_price: (price_edge, unit_price),
            tax: (tax_edge, tax),
            amount: (RIGHT, amount),
        }
    }

    fn table(&mut self) {
        let sheet = self.sheet;
        let grid = self.grid();
        self.make_room(60.0);
        self.table_head(&grid);
        for row in &sheet.rows {
            self.row(row, &grid);
        }
    }

    fn table_head(&mut self, grid: &Grid) {
        let columns = &self.sheet.columns;
        let cells = [
            (columns.quantity, grid.quantity),
            (columns.unit_price, grid.unit_price),
            (columns.tax.unwrap_or_default(), grid.tax),
            (columns.amount.as_str(), grid.amount),
        ];
        let description = self.typesetter.line(columns.description, LABEL);
        self.put(&description, MARGIN, SOFT);
        for (text, (edge, _)) in cells {
            let line = self.typesetter.line(text, LABEL);
            self.put(&line, edge - line.width, SOFT);
        }
        self.y += LABEL.size * LEADING + 4.0;
        self.rule(MARGIN, INNER, 0.9, INK);
        self.y += 0.9;
    }

    fn row(&mut self, row: &Row, grid: &Grid) {
        const PADDING: f32 = 6.0;
        let mut texts = self.typesetter.wrap(&row.description, BODY, grid.description);
        let strong = texts.len();
        for detail in &row.details {
            texts.extend(self.typesetter.wrap(detail, SMALL, grid.description));
        }
        let cells = [(&row.quantity, grid.quantity), (&row.unit_price, grid.unit_price), (&row.tax, grid.tax), (&row.amount, grid.amount)];
        let cells = cells.map(|(text, (edge, width))| (self.typesetter.wrap(text, BODY, width + 0.1), edge));
        let tall = cells.iter().map(|(lines, _)| height(lines)).fold(height(&texts), f32::max) + 2.0 * PADDING;
        // A row stays together, unless no page could hold it.
        if self.make_room(tall.min(HEIGHT / 2.0)) {
            self.table_head(grid);
        }
        self.y += PADDING;
        let top = self.y;
        let mut lowest = top;
        for (lines, edge) in &cells {
            self.y = top;
            lines.iter().for_each(|line| self.put_down(line, edge - line.width, INK));
            lowest = lowest.max(self.y);
        }
        self.y = top;
        for (index, line) in texts.iter().enumerate() {
            if self.make_room(line.size * LEADING) {
                self.table_head(grid);
                self.y += PADDING;
                lowest = self.y;
            }
            self.put_down(line, MARGIN, if index < strong { INK } else { SOFT });
        }
        self.y = lowest.max(self.y) + PADDING;
        self.rule(MARGIN, INNER, 0.5, RULE);
        self.y += 0.5;
    }

    fn sums(&mut self) {
        let sheet = self.sheet;
        let x = RIGHT - SUMS_WIDTH;
        let last = sheet.sums.len().saturating_sub(1);
        let set: Vec<_> = sheet
            .sums
            .iter()
            .enumerate()
            .map(|(index, sum)| {
                let size = if sum.is_strong && index == last {
                    11.0
                } else if sum.is_strong {
                    10.0
                } else {
                    9.0
                };
                let style = Style { size, is_bold: sum.is_strong };
                let value = self.typesetter.line(&sum.value, style);
                let labels = self.typesetter.wrap(&sum.label, style, (SUMS_WIDTH - value.width - 14.0).max(80.0));
                (labels, value, sum.is_strong, index == last)
            })
            .collect();
        let tall: f32 = set.iter().map(|(labels, _, is_strong, _)| height(labels) + if *is_strong { 12.0 } else { 4.0 }).sum();
        self.y += 10.0;
        self.make_room(tall.min(HEIGHT / 2.0));
        for (labels, value, is_strong, is_last) in set {
            self.make_room(height(&labels) + 12.0);
            if is_strong {
                self.y += 3.0;
                self.rule(x, SUMS_WIDTH, if is_last { 0.9 } else { 0.5 }, if is_last { INK } else { RULE });
                self.y += 5.0;
            }
            self.put(&value, RIGHT - value.width, INK);
            labels.iter().for_each(|label| self.put_down(label, x, if is_strong { INK } else { SOFT }));
            self.y += 4.0;
        }
    }

    fn notes(&mut self) {
        let sheet = self.sheet;
        for note in &sheet.notes {
            self.y += 20.0;
            let heading = self.typesetter.line(note.heading, LABEL);
            self.make_room((heading.size + 2.0 * BODY.size) * LEADING);
            self.put_down(&heading, MARGIN, SOFT);
            self.y += 2.0;
            for text in &note.lines {
                for line in self.typesetter.wrap(text, BODY, INNER) {
                    self.make_room(line.size * LEADING);
                    self.put_down(&line, MARGIN, INK);
                }
            }
        }
    }

    /// The small print, with how many pages there are, which is known only now.
    fn finish(self, footer: &[SetLine]) -> Vec<Vec<u8>> {
        let Self { sheet, typesetter, pages, floor, .. } = self;
        let count = pages.len();
        let mut finished = Vec::with_capacity(count);
        for (number, mut page) in (1_usize..).zip(pages) {
            page.fill(Area { x: MARGIN, y: floor + 6.0, width: INNER, height: 0.5 }, RULE);
            let mut y = floor + 14.0;
            let text = sheet.page.replace("{pages}", &count.to_string()).replace("{page}", &number.to_string());
            let line = typesetter.line(&text, PRINT);
            page.text(&line, RIGHT - line.width, y + line.size * LEADING * BASELINE, SOFT);
            for line in footer {
                page.text(line, MARGIN, y + line.size * LEADING * BASELINE, SOFT);
                y += line.size * LEADING;
            }
            finished.push(page.finish());
        }
        finished
    }
}
