-- Ratios as pictures: bars on a logarithmic scale with 1.0 in the middle, so
-- that half and twice as much are as long. Places are per cent of the width:
-- the text keeps its size however narrow the page is.
local svg = {}

local HEIGHT, TOP, THICK = 34, 13, 14 -- px; a flag flies above the bar
local MIDDLE, CAP = TOP + THICK / 2, 4.5
local HALF = 46 -- % of the width on either side of 1.0
local FLAG = { most = "M0 2V32M0 2L-8 6.5L0 11z",
    least = "M0 2V32M0 2L8 6.5L0 11z" }

-- Whether it has a place on the scale.
function svg.drawable(value)
    return type(value) == "number" and value > 0 and value < math.huge
end

-- The power of two, 1 or more, that the scale reaches for these values.
function svg.reach(values)
    local power = 1
    for _, value in ipairs(values) do
        if svg.drawable(value) then
            local log = math.abs(math.log(value) / math.log(2))
            power = math.max(power, math.ceil(log - 1e-9))
        end
    end
    return power
end

local function place(value, reach)
    local x = 50 + HALF * math.log(value) / (reach * math.log(2))
    return math.max(0, math.min(100, x))
end

local function ticks(reach)
    if reach == 1 then
        return { 0.5, 0.75, 1, 1.5, 2 }
    end
    local list, step = {}, math.ceil(reach / 3)
    local most = math.floor(reach / step)
    for i = -most, most do
        table.insert(list, 2 ^ (i * step))
    end
    return list
end

local function line(class, x1, y1, x2, y2)
    return ('<line class="%s" x1="%.2f%%" y1="%g" x2="%.2f%%" y2="%g"/>')
        :format(class, x1, y1, x2, y2)
end

local function grid(reach, out)
    for _, tick in ipairs(ticks(reach)) do
        if tick ~= 1 then
            local x = place(tick, reach)
            table.insert(out, line("grid", x, 0, x, HEIGHT))
        end
    end
end

local function bar(ratio, form, reach, out)
    local x = place(ratio, reach)
    table.insert(out, ('<rect class="bar %s" x="%.2f%%" y="%d" width="%.2f%%" '
        .. 'height="%d"/>'):format(form, math.min(x, 50), TOP,
        math.abs(x - 50), THICK))
end

-- In between the line at 1.0, which the halo would hide.
local function whisker(figure, reach, one, out)
    local low, high = figure.low, figure.high
    if not (svg.drawable(low) and svg.drawable(high) and low < high) then
        table.insert(out, one)
        return
    end
    local from, to = place(low, reach), place(high, reach)
    for _, class in ipairs { "halo", "whisker" } do
        table.insert(out, line(class, from, MIDDLE, to, MIDDLE)
            .. line(class, from, MIDDLE - CAP, from, MIDDLE + CAP)
            .. line(class, to, MIDDLE - CAP, to, MIDDLE + CAP) .. one)
        one = ""
    end
end

-- A bar from 1.0 to the ratio. figure: ratio; low, high: of its rounds; target,
-- and side, which of "most" and "least" it is; form: a class of the bar; label:
-- the same in words.
function svg.ratio(figure, reach)
    local out = { ('<svg class="ratio" role="img" aria-label="%s" width="100%%"'
        .. ' height="%d">'):format(figure.label, HEIGHT) }
    grid(reach, out)
    bar(figure.ratio, figure.form, reach, out)
    whisker(figure, reach, line("one", 50, 0, 50, HEIGHT), out)
    if svg.drawable(figure.target) then
        table.insert(out, ('<svg class="target" x="%.2f%%"><path d="%s"/></svg>'
            ):format(place(figure.target, reach), FLAG[figure.side]))
    end
    table.insert(out, "</svg>")
    return table.concat(out)
end

local function tick_name(value)
    if value < 0.5 then
        return ("1/%d"):format(1 / value)
    end
    return value == 1 and "1.0" or ("%g"):format(value)
end

-- The numbers of the scale.
function svg.axis(reach)
    local out = { '<svg class="axis" aria-hidden="true" width="100%"'
        .. ' height="16">' }
    for _, tick in ipairs(ticks(reach)) do
        table.insert(out, ('<text x="%.2f%%" y="12">%s</text>')
            :format(place(tick, reach), tick_name(tick)))
    end
    table.insert(out, "</svg>")
    return table.concat(out)
end

-- What the bars of missed targets are filled with; once on a page.
svg.patterns = '<svg class="patterns" aria-hidden="true" width="0" height="0">'
    .. '<pattern id="hatch" width="6" height="6"'
    .. ' patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    .. '<rect class="under" width="6" height="6"/>'
    .. '<rect class="stripe" width="3" height="6"/></pattern></svg>'

return svg
