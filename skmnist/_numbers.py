"""Formatting of numbers and times."""

import math
from datetime import timedelta


def percent(share):
    """Write a share between 0 and 1 in percent."""
    return f"{100 * share:.2f} %"


def confidence_text(probability):
    """Write a probability as a percentage that never rounds to certainty."""
    if probability >= 0.9995:
        return "> 99.9 %"
    if probability < 0.0005:
        return "< 0.1 %"
    return f"{100 * probability:.1f} %"


def with_error(share, standard_error):
    """Write a share in percent with its standard error, where that is known."""
    if is_missing(standard_error):
        return percent(share)
    return f"{100 * share:.2f} ± {100 * standard_error:.2f} %"


def is_missing(value):
    """Whether a value is None, NaN, or what pandas has for a missing one."""
    return value is None or str(value) in ("nan", "<NA>")


def count(number):
    """Write a whole number; nothing for a missing one."""
    return "" if is_missing(number) else f"{int(number):,}"


def counted(number, noun):
    """Write a number of things, such as "1 model" and "1,797 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds):
    """Write a time as shortly as its size makes sensible."""
    if seconds < 0.0995:
        return _short(1000 * seconds, "ms")
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def microseconds(time):
    """Write a time given in microseconds."""
    return _short(time, "µs") if time < 9_999.5 else f"{time / 1000:.0f} ms"


def _short(time, unit):
    if time < 0.05:
        return f"< 0.1 {unit}"
    return f"{time:.1f} {unit}" if time < 9.95 else f"{time:.0f} {unit}"


def clock(seconds):
    """Write a time as hours, minutes and seconds."""
    return str(timedelta(seconds=math.ceil(seconds)))


def by(shape):
    """Write the size of an image or an array, 60,000×28×28."""
    return "×".join(f"{size:,}" for size in shape)


def pixels(shape):
    """Write the size of an image; which number is which is said unless all agree."""
    return f"{by(shape)} pixels{_axes(shape, ' ({})')}"


def size_and_pixels(shape, n_pixels):
    """Write the size of an image and its number of pixels, 8×8 (64 pixels)."""
    return f"{by(shape)} ({_axes(shape, '{}, ')}{n_pixels:,} pixels)"


def _axes(shape, form):
    axes = " × ".join(("height", "width", "channels")[: len(shape)])
    return "" if shape[0] == shape[1] else form.format(axes)


def joined(mapping):
    """Write parameters and their values on one line."""
    return ", ".join(f"{key}={value!r}" for key, value in mapping.items())
