//! Small PDF files, written word by word, for what must come out of them.

use std::fmt::Write as _;

/// A document of pages of 612 × 792 points.
#[derive(Debug, Default)]
pub struct Pdf {
    pages: Vec<String>,
}

impl Pdf {
    /// A document without pages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a page.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.pages.push(String::new());
        self
    }

    /// Writes a line in Helvetica on the last page; `x` and `y` are points from its lower left corner. The words may
    /// have no brackets.
    #[must_use]
    pub fn line(self, x: i32, y: i32, size: u32, words: &str) -> Self {
        self.raw(&format!("BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({words}) Tj ET"))
    }

    /// Lines below each other from `y` downwards, in 11 points.
    #[must_use]
    pub fn lines(self, x: i32, y: i32, lines: &[&str]) -> Self {
        lines.iter().zip((0..).map(|line| y - 14 * line)).fold(self, |pdf, (words, y)| pdf.line(x, y, 11, words))
    }

    /// Adds instructions to the last page.
    #[must_use]
    pub fn raw(mut self, instructions: &str) -> Self {
        if let Some(page) = self.pages.last_mut() {
            page.push_str(instructions);
            page.push('\n');
        }
        self
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let kids: Vec<String> = (0..self.pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{}] /Count {} /MediaBox [0 0 612 792] >>", kids.join(" "), kids.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        ];
        for (page, content) in self.pages.iter().enumerate() {
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
                5 + 2 * page
            ));
            objects.push(format!("<< /Length {} >>\nstream\n{content}endstream", content.len()));
        }
        let mut file = "%PDF-1.4\n".to_owned();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for (number, object) in objects.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{:010} 00000 n ", file.len());
            let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1);
        }
        let start = file.len();
        let _ =
            write!(file, "{table}trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
        file.into_bytes()
    }
}
