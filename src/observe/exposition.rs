//! The two forms of a metrics page: Prometheus' text 0.0.4 and OpenMetrics 1.0, for which the library has no encoder.

use std::fmt::Write;

use prometheus::TextEncoder;
use prometheus::proto::{LabelPair, MetricFamily, MetricType};

/// What a counter's samples end with. An OpenMetrics family is named without it.
const TOTAL: &str = "_total";

/// A form of the metrics page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' text, 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// A page that is being written, a family after the other.
pub(super) struct Page {
    text: String,
    form: Form,
}

impl Page {
    pub(super) fn new(form: Form) -> Page {
        Page { text: String::new(), form }
    }

    /// The finished page.
    pub(super) fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    /// Families of a registry, without timestamps of their own. Types that this program has not (summaries, untyped)
    /// are left out of OpenMetrics.
    pub(super) fn families(&mut self, families: &[MetricFamily]) {
        if self.form == Form::Text {
            TextEncoder::new()
                .encode_utf8(families, &mut self.text)
                .expect("encoding into memory cannot fail");
            return;
        }
        for family in families {
            match family.get_field_type() {
                MetricType::COUNTER => self.counters(family),
                MetricType::GAUGE => self.gauges(family),
                MetricType::HISTOGRAM => self.histograms(family),
                MetricType::SUMMARY | MetricType::UNTYPED => {}
            }
        }
    }

    fn counters(&mut self, family: &MetricFamily) {
        let name = family.name();
        self.head(name, "counter", family.help());
        for metric in family.get_metric() {
            self.sample(name, pairs(metric.get_label()), metric.get_counter().get_value());
        }
    }

    fn gauges(&mut self, family: &MetricFamily) {
        self.head(family.name(), "gauge", family.help());
        for metric in family.get_metric() {
            self.sample(family.name(), pairs(metric.get_label()), metric.get_gauge().get_value());
        }
    }

    fn histograms(&mut self, family: &MetricFamily) {
        self.head(family.name(), "histogram", family.help());
        let [bucket, count, sum] =
            ["_bucket", "_count", "_sum"].map(|ending| family.name().to_owned() + ending);
        for metric in family.get_metric() {
            let (labels, histogram) = (metric.get_label(), metric.get_histogram());
            // The bucket without a bound is written below, whether or not the library has one.
            for counted in histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite()) {
                let bound = number(counted.upper_bound());
                let labels = pairs(labels).chain([("le", bound.as_str())]);
                self.sample(&bucket, labels, counted.cumulative_count() as f64);
            }
            let all = histogram.get_sample_count() as f64;
            self.sample(&bucket, pairs(labels).chain([("le", "+Inf")]), all);
            self.sample(&count, pairs(labels), all);
            self.sample(&sum, pairs(labels), histogram.get_sample_sum());
        }
    }

    /// The lines before a family's samples; `name` is that of the samples. `help` has no quotes.
    pub(super) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let name = match self.form {
            Form::Text => name,
            Form::OpenMetrics => name.strip_suffix(TOTAL).unwrap_or(name),
        };
        let _ = write!(self.text, "# HELP {name} ");
        self.escaped(help);
        let _ = writeln!(self.text, "\n# TYPE {name} {kind}");
    }

    /// One line of a family.
    pub(super) fn sample<'a>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: f64,
    ) {
        self.text.push_str(name);
        let mut opening = '{';
        for (name, value) in labels {
            self.text.push(opening);
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.escaped(value);
            self.text.push('"');
            opening = ',';
        }
        if opening == ',' {
            self.text.push('}');
        }
        let _ = match value {
            value if value.is_finite() => writeln!(self.text, " {value}"),
            value if value.is_nan() => writeln!(self.text, " NaN"),
            value => writeln!(self.text, " {}", if value > 0.0 { "+Inf" } else { "-Inf" }),
        };
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                plain => self.text.push(plain),
            }
        }
    }
}

fn pairs(labels: &[LabelPair]) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|label| (label.name(), label.value()))
}

/// A bucket's bound in the canonical form, `1.0`. Bounds of a million and more would need an exponent; there are none.
fn number(bound: f64) -> String {
    format!("{bound:?}")
}
