/* One digit in view: the ground is a mean of the cells around, ink differs from it, and the largest mark is framed as
   MNIST frames digits. Everything is in whole numbers; microcontroller/frame_one.py of edgedigits has the same steps. */
enum { CELLS = @CELLS@, MAP_ROW = (CELLS + 7) / 8, MARKS = @MARKS@, BOX = 20, WEIGHT_BITS = 22 };

typedef struct {
    uint8_t root, top, left, bottom, right; /* the last two inclusive */
    uint16_t area;
} mark;

typedef struct {
    uint8_t start, end, label; /* columns start to end - 1 */
} mark_run;

typedef struct {
    const uint8_t *grey;
    int stride, step, width, height, sign;
    uint32_t contrast;
    uint16_t sums[CELLS]; /* of the ground in a column, from `reach` rows above to `reach` below */
    uint8_t counts[CELLS];
    int16_t away[CELLS];
    uint8_t cells[CELLS]; /* a reduced row of the frame */
    uint8_t near[MAP_ROW]; /* where `own` has ink in a row or in those beside it */
    uint8_t ground[CELLS * MAP_ROW], marks[CELLS * MAP_ROW], own[CELLS * MAP_ROW];
    union {
        struct {
            mark of[MARKS + 1];
            mark_run runs[2][CELLS / 2];
        } found;
        struct {
            uint32_t sums[BOX * BOX];
            uint16_t across[BOX], down[BOX]; /* sums of taps */
        } scaled;
    } at;
} framing;

static inline bool bit(const uint8_t *row, int x)
{
    return row[(unsigned)x / 8] >> ((unsigned)x % 8) & 1;
}

static inline uint8_t *map_row(uint8_t *map, int y)
{
    return map + y * MAP_ROW;
}

SMALL static const uint8_t *reduced_row(framing *f, int y)
{
    const uint8_t *row = f->grey + times(y * f->step, f->stride);

    if (f->step == 1) return row;
    for (int x = 0; x < f->width; x++, row += f->step) {
        const uint8_t *from = row;
        uint32_t sum = 0;
        for (int i = 0; i < f->step; i++, from += f->stride)
            for (int j = 0; j < f->step; j++) sum += from[j];
        f->cells[x] = (uint8_t)(sum / (uint32_t)(f->step * f->step));
    }
    return f->cells;
}

HOT static void add_row(framing *f, int y, int sign)
{
    if (y < 0 || y >= f->height) return;
    const uint8_t *const row = reduced_row(f, y), *const ground = map_row(f->ground, y);
    for (int x = 0; x < f->width; x++) {
        if (!bit(ground, x)) continue;
        f->sums[x] = (uint16_t)(f->sums[x] + sign * row[x]);
        f->counts[x] = (uint8_t)(f->counts[x] + sign);
    }
}

/* Find how much darker the cells of a row are than their ground; rows are asked for from 0 on. */
HOT static void find_away(framing *f, int y)
{
    const int reach = (f->width + f->height) / @REACH@;
    uint32_t sum = 0, count = 0;

    if (y == 0) {
        memset(f->sums, 0, sizeof f->sums);
        memset(f->counts, 0, sizeof f->counts);
        for (int i = 0; i < reach; i++) add_row(f, i, 1);
    }
    add_row(f, y + reach, 1);
    add_row(f, y - reach - 1, -1);
    const uint8_t *const row = reduced_row(f, y);
    for (int x = -reach; x < f->width; x++) {
        if (x + reach < f->width) {
            sum += f->sums[x + reach];
            count += f->counts[x + reach];
        }
        if (x > reach) {
            sum -= f->sums[x - reach - 1];
            count -= f->counts[x - reach - 1];
        }
        if (x >= 0) f->away[x] = (int16_t)(count ? (int)((sum + count / 2) / count) - row[x] : 0);
    }
}

/* Measure the contrast and mark the ink; false if there is none. */
HOT static bool find_ink(framing *f, bool last)
{
    uint64_t cubes[2] = {0, 0}, fourths[2] = {0, 0};
    uint32_t noise = 0, count = 0;

    for (int y = 0; y < f->height; y++) {
        const uint8_t *const ground = map_row(f->ground, y);
        find_away(f, y);
        for (int x = 0; x < f->width; x++) {
            const int bright = f->away[x] < 0;
            const uint32_t size = (uint32_t)(bright ? -f->away[x] : f->away[x]), cube = size * size * size;
            cubes[bright] += cube;
            fourths[bright] += (uint64_t)cube * size;
            if (bit(ground, x)) {
                noise += size;
                count++;
            }
        }
    }
    const int bright = cubes[1] > cubes[0];
    f->sign = bright ? -1 : 1;
    f->contrast = (uint32_t)(fourths[bright] / (cubes[bright] ? cubes[bright] : 1));
    if (f->contrast < @CONTRAST@) return false;
    memset(f->marks, 0, sizeof f->marks);
    memset(f->own, 0, sizeof f->own);
    for (int y = 0; y < f->height; y++) {
        uint8_t *const marks = map_row(f->marks, y), *const ground = map_row(f->own, y);
        find_away(f, y);
        for (int x = 0; x < f->width; x++) {
            const int32_t ink = f->sign * f->away[x], contrast = (int32_t)f->contrast;
            const unsigned mask = 1u << (x % 8);
            if (@INK@ * ink >= contrast) marks[x / 8] = (uint8_t)(marks[x / 8] | mask);
            if (@GROUND@ * ink < contrast) ground[x / 8] = (uint8_t)(ground[x / 8] | mask);
        }
    }
    if (!last) memcpy(f->ground, f->own, sizeof f->ground);
    return !last || f->contrast * count >= @NOISE@ * noise;
}

SMALL static int root_of(const mark *marks, int label)
{
    while (marks[label].root != label) label = marks[label].root;
    return label;
}

SMALL static int join(mark *marks, int one, int other)
{
    const int a = root_of(marks, one), b = root_of(marks, other);
    mark *const kept = marks + (a < b ? a : b), *const gone = marks + (a < b ? b : a);

    if (a == b) return a;
    gone->root = kept->root;
    if (gone->top < kept->top) kept->top = gone->top;
    if (gone->left < kept->left) kept->left = gone->left;
    if (gone->bottom > kept->bottom) kept->bottom = gone->bottom;
    if (gone->right > kept->right) kept->right = gone->right;
    kept->area = (uint16_t)(kept->area + gone->area);
    return kept->root;
}

/* Number the runs of marks row by row. The first time, marks that touch are joined; with `chosen`, the runs of that mark
   and of those in its box become `own`. False if there are too many. */
SMALL static bool number_runs(framing *f, const mark *chosen)
{
    mark *const marks = f->at.found.of;
    int labels = 0, above_count = 0;

    for (int y = 0; y < f->height; y++) {
        const uint8_t *const row = map_row(f->marks, y);
        uint8_t *const own = map_row(f->own, y);
        mark_run *const runs = f->at.found.runs[y % 2];
        const mark_run *const above = f->at.found.runs[(y + 1) % 2];
        int count = 0;
        for (int x = 0; x < f->width; x++) {
            if (!bit(row, x)) continue;
            const int start = x;
            int label = 0;
            while (x < f->width && bit(row, x)) x++;
            for (int i = 0; i < above_count; i++) {
                if (above[i].start > x || above[i].end < start) continue;
                if (!label) label = above[i].label;
                else if (!chosen) label = join(marks, label, above[i].label);
            }
            if (!label) {
                if (labels == MARKS) return false;
                label = ++labels;
                if (!chosen)
                    marks[label] = (mark){(uint8_t)label, (uint8_t)y, (uint8_t)start, (uint8_t)y, (uint8_t)(x - 1), 0};
            }
            runs[count++] = (mark_run){(uint8_t)start, (uint8_t)x, (uint8_t)label};
            mark *const m = marks + root_of(marks, label);
            if (chosen) {
                if (m->top <= chosen->bottom && m->bottom >= chosen->top && m->left <= chosen->right
                    && m->right >= chosen->left && @JOINED@ * (uint32_t)m->area >= chosen->area)
                    for (int i = start; i < x; i++) own[i / 8] = (uint8_t)(own[i / 8] | 1u << (i % 8));
                continue;
            }
            m->area = (uint16_t)(m->area + x - start);
            m->bottom = (uint8_t)y;
            if (start < m->left) m->left = (uint8_t)start;
            if (x - 1 > m->right) m->right = (uint8_t)(x - 1);
        }
        above_count = count;
    }
    marks[0].root = (uint8_t)labels;
    return true;
}

SMALL static bool find_mark(framing *f)
{
    const mark *const marks = f->at.found.of, *chosen = NULL;

    if (!number_runs(f, NULL)) return false;
    for (const mark *m = marks + 1; m <= marks + marks[0].root; m++)
        if (m->root == m - marks && m->top > 0 && m->left > 0 && m->bottom < f->height - 1 && m->right < f->width - 1
            && m->bottom - m->top >= @SIDE@ - 1 && (!chosen || m->area > chosen->area))
            chosen = m;
    if (!chosen) return false;
    memset(f->own, 0, sizeof f->own);
    return number_runs(f, chosen);
}

/* Replace the differences of a row by the ink of the mark and of its grey edges, 0 to 255. */
HOT static void find_ink_of_mark(framing *f, int y)
{
    const uint8_t *const marks = map_row(f->marks, y), *const own = map_row(f->own, y);

    find_away(f, y);
    for (int i = 0; i < MAP_ROW; i++)
        f->near[i] = (uint8_t)(own[i] | (y > 0 ? own[i - MAP_ROW] : 0) | (y + 1 < f->height ? own[i + MAP_ROW] : 0));
    for (int x = 0; x < f->width; x++) {
        const int32_t ink = f->sign * f->away[x];
        const bool near = bit(f->near, x) || (x > 0 && bit(f->near, x - 1)) || (x + 1 < f->width && bit(f->near, x + 1));

        f->away[x] = 0;
        if (ink <= 0 || !near || (bit(marks, x) && !bit(own, x))) continue;
        const uint32_t stretched = (510 * (uint32_t)ink + f->contrast) / (2 * f->contrast);
        f->away[x] = (int16_t)(stretched > 255 ? 255 : stretched);
    }
}

/* How much cell k of `length` counts for pixel o of `size`, not yet divided by the sum over k. */
SMALL static uint32_t tap(int k, int o, int length, int size)
{
    const int apart = (2 * k + 1) * size - (2 * o + 1) * length;
    const int weight = 2 * (length > size ? length : size) - (apart < 0 ? -apart : apart);
    return weight < 0 ? 0 : (uint32_t)weight;
}

SMALL static void sum_taps(int length, int size, uint16_t *totals)
{
    memset(totals, 0, BOX * sizeof *totals);
    for (int o = 0; o < size; o++)
        for (int k = 0; k < length; k++) totals[o] = (uint16_t)(totals[o] + tap(k, o, length, size));
}

SMALL static uint32_t weight(int k, int o, int length, int size, uint32_t total)
{
    const uint32_t own = tap(k, o, length, size);
    return own ? ((own << (WEIGHT_BITS + 1)) + total) / (2 * total) : 0;
}

SMALL static uint32_t half_even(uint32_t value, int bits)
{
    return bits <= 0 ? value : (value + (1u << (bits - 1)) - 1 + (value >> bits & 1)) >> bits;
}

/* Stretch to `peak`, rounded as a product of floats is. */
SMALL static uint8_t brightened(uint32_t value, uint32_t peak)
{
    int bits = 16, spare = 0;

    while ((255u << bits) / peak < 1u << 23) bits++;
    const uint32_t whole = (255u << bits) / peak, rest = (255u << bits) % peak;
    const uint32_t product = value * (whole + (2 * rest > peak || (2 * rest == peak && whole % 2)));
    while (product >> spare >= 1u << 24) spare++;
    return (uint8_t)half_even(half_even(product, spare), bits - spare);
}

SMALL static int side_of(int length, int longest)
{
    const int twice = 2 * BOX * length + longest, side = twice / (2 * longest);
    const int even = side - (twice % (2 * longest) == 0 && side % 2);
    return even > 1 ? even : 1;
}

SMALL static int start_of(uint32_t weight_of_all, uint32_t moment, int length)
{
    const int32_t over = (int32_t)(29 * weight_of_all) - (int32_t)(2 * moment);
    const int start = over < 0 ? 0 : (int)((uint32_t)over / (2 * weight_of_all));
    return start > DIGITS_HEIGHT - length ? DIGITS_HEIGHT - length : start;
}

SMALL static void frame_mark(framing *f, digits_reading *reading)
{
    uint32_t *const sums = f->at.scaled.sums, peak = 1, all = 0, down = 0, right = 0;
    uint8_t across[BOX];
    int top = f->height, bottom = 0, first = f->width, last = 0;

    for (int y = 0; y < f->height; y++) {
        find_ink_of_mark(f, y);
        for (int x = 0; x < f->width; x++) {
            if (!f->away[x]) continue;
            if (y < top) top = y;
            if (x < first) first = x;
            if (x > last) last = x;
            bottom = y;
        }
    }
    const int height = bottom - top + 1, width = last - first + 1, longest = height > width ? height : width;
    const int rows = side_of(height, longest), columns = side_of(width, longest);
    memset(sums, 0, sizeof f->at.scaled.sums);
    sum_taps(width, columns, f->at.scaled.across);
    sum_taps(height, rows, f->at.scaled.down);
    for (int y = 0; y <= bottom; y++) {
        find_ink_of_mark(f, y);
        if (y < top) continue;
        for (int o = 0; o < columns; o++) {
            uint32_t sum = 1u << (WEIGHT_BITS - 1);
            for (int x = 0; x < width; x++)
                if (f->away[first + x])
                    sum += (uint32_t)f->away[first + x] * weight(x, o, width, columns, f->at.scaled.across[o]);
            sum >>= WEIGHT_BITS;
            across[o] = (uint8_t)(sum > 255 ? 255 : sum);
        }
        for (int i = 0; i < rows; i++) {
            const uint32_t share = weight(y - top, i, height, rows, f->at.scaled.down[i]);
            for (int o = 0; share && o < columns; o++) sums[i * BOX + o] += across[o] * share;
        }
    }
    for (int i = 0; i < BOX * BOX; i++) {
        sums[i] = (sums[i] + (1u << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
        if (sums[i] > 255) sums[i] = 255;
        if (sums[i] > peak) peak = sums[i];
    }
    for (int i = 0; i < BOX * BOX; i++) {
        if (longest != BOX) sums[i] = brightened(sums[i], peak);
        all += sums[i];
        down += sums[i] * (uint32_t)(i / BOX);
        right += sums[i] * (uint32_t)(i % BOX);
    }
    const int from_top = start_of(all, down, rows), from_left = start_of(all, right, columns);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++)
            reading->framed[(from_top + y) * DIGITS_WIDTH + from_left + x] = (uint8_t)sums[y * BOX + x];
    reading->x = (int16_t)(first * f->step);
    reading->y = (int16_t)(top * f->step);
    reading->width = (int16_t)(width * f->step);
    reading->height = (int16_t)(height * f->step);
}

SMALL bool digits_read(const uint8_t *grey, int width, int height, int stride, digits_reading *reading)
{
    static union {
        framing frame;
        int32_t network[(DIGITS_SCRATCH_BYTES + 3) / 4];
    } memory;
    framing *const f = &memory.frame;

    memset(reading, 0, sizeof *reading);
    if (width < 1 || height < 1) return false;
    f->grey = grey;
    f->stride = stride;
    f->step = ((width > height ? width : height) + CELLS - 1) / CELLS;
    f->width = width / f->step;
    f->height = height / f->step;
    if (f->width <= @SIDE@ || f->height <= @SIDE@) return false;
    memset(f->ground, 0xFF, sizeof f->ground);
    if (!find_ink(f, false) || !find_ink(f, true) || !find_mark(f)) return false;
    frame_mark(f, reading);
    reading->found = true;
    digits_predict(reading->framed, &reading->result, &memory);
    return reading->result.accepted;
}
