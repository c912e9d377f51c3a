-- The page of the results: each suite with a bar per ratio, and all in words.
local svg = require "bench.lib.svg"

local chart = {}

local STYLE = "bench/lib/chart.css"
local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
    ['"'] = "&quot;" }
local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>quoll: benchmarks</title>
<style>
%s</style>
</head>
<body>
%s
<h1>quoll beside its peers</h1>
]]
local KEY = [[
<p>A bar leads from 1.0, the peer or the limit, to the ratio: to the left where
it took less than that, to the right where more. Costs (time, bytes) want to be
on the left, rates (a second) on the right. The whisker spans the rounds, the
flag is the target and points to where it is reached. Each benchmark has its
own scale.</p>
<ul class="key">
<li>%s filled: target reached</li>
<li>%s hatched: target missed</li>
<li>%s hollow: no target</li>
</ul>
]]

local function escape(text)
    return (tostring(text):gsub('[&<>"]', ESCAPES))
end

local function number(value)
    local size = math.abs(value)
    if value ~= value or size == math.huge then
        return "not a number"
    elseif size < 1000 then
        return (size >= 100 and "%.0f" or size >= 0.1 and "%.2f" or "%.2g")
            :format(value)
    end
    local text = ("%.0f"):format(value):reverse():gsub("%d%d%d", "%0,")
    return (text:reverse():gsub("^(%-?),", "%1"))
end

-- As it was written: 10, not 10.00.
local function plain(limit)
    return limit < 1000 and ("%g"):format(limit) or number(limit)
end

-- What it is; its suite's name stands above already.
local function caption(suite, figure)
    local prefix = suite.name .. ": "
    local what = figure.what
    return escape(what:sub(1, #prefix) == prefix and what:sub(#prefix + 1)
        or what)
end

local function target(figure)
    if figure.most then
        return "most", figure.most
    elseif figure.least then
        return "least", figure.least
    end
end

-- What the bar shows: the ratio, or how much of its limit a figure without
-- one is; nil where it has neither. Second, the target on that scale.
local function share(figure)
    local _, limit = target(figure)
    if figure.ratio then
        return figure.ratio, figure.judged ~= "measured" and limit or nil
    elseif limit and figure.measured then
        return figure.measured / limit, 1
    end
end

local VERDICT = { [true] = "reached", [false] = "missed" }
local SIGN = { [true] = "✓ ", [false] = "✗ " }

local function ratio_words(figure)
    local ratio = share(figure)
    if not ratio then
        return "no ratio"
    elseif not figure.ratio then
        return number(ratio) .. " of the limit"
    elseif figure.low and figure.low < figure.high then
        return ("%s (%s to %s)"):format(number(ratio), number(figure.low),
            number(figure.high))
    end
    return number(ratio)
end

local function measured_words(figure)
    if not figure.measured then
        return "not measured"
    elseif figure.against then
        return ("%s against %s"):format(number(figure.measured),
            number(figure.against))
    end
    return number(figure.measured)
end

local function target_words(figure)
    local side, limit = target(figure)
    if not side then
        return "no target"
    end
    return ("target: at %s %s%s, %s"):format(side, plain(limit),
        figure.judged == "measured" and " measured" or "",
        VERDICT[figure.met])
end

local function picture(figure, reach)
    local ratio, mark = share(figure)
    if not svg.drawable(ratio) then
        return '<span class="none"></span>'
    end
    return svg.ratio({
        ratio = ratio, low = figure.low, high = figure.high,
        target = mark, side = target(figure),
        form = VERDICT[figure.met] or "plain",
        label = escape(ratio_words(figure) .. "; " .. target_words(figure)),
    }, reach)
end

local function row(suite, figure, reach)
    local words = target_words(figure)
    return ('<li><span class="what">%s</span>%s<span class="numbers">'
        .. '<b>%s</b> <span>%s</span> <span class="%s">%s%s</span></span></li>')
        :format(caption(suite, figure), picture(figure, reach),
            ratio_words(figure), measured_words(figure),
            VERDICT[figure.met] or "plain", SIGN[figure.met] or "", words)
end

local function reach_of(suite)
    local values = {}
    for _, figure in ipairs(suite.figures) do
        local ratio, mark = share(figure)
        for _, value in pairs { ratio or 1, mark or 1, figure.low or 1,
            figure.high or 1 } do
            table.insert(values, value)
        end
    end
    return svg.reach(values)
end

local function run_words(suite)
    return ("Measured at %s, %s."):format(
        escape(suite.commit or "an unknown commit"),
        suite.quick and "one short round: it proves nothing"
            or suite.rounds == 1 and "one round" or suite.rounds .. " rounds")
end

local function notes(suite, out)
    if suite.failed then
        table.insert(out, ('<p class="failed">✗ This run failed: %s</p>')
            :format(escape(suite.failed)))
    end
    for _, peer in ipairs(suite.missing) do
        table.insert(out, ('<p class="missing">Missing: %s: %s</p>')
            :format(escape(peer.name), escape(peer.why)))
    end
end

local function section(suite, machine, out)
    local reach = reach_of(suite)
    local against = #suite.peers > 0 and " Peers: "
        .. escape(table.concat(suite.peers, ", ")) .. "." or ""
    table.insert(out, ('<section id="%s">\n<h2>%s</h2>\n<p>%s.%s</p>')
        :format(escape(suite.name), escape(suite.name), escape(suite.what),
            against))
    notes(suite, out)
    if #suite.figures > 0 then
        table.insert(out, "<ol>")
        for _, figure in ipairs(suite.figures) do
            table.insert(out, row(suite, figure, reach))
        end
        table.insert(out, '<li class="scale"><span></span>' .. svg.axis(reach)
            .. "<span></span></li>\n</ol>")
    end
    table.insert(out, ('<p class="run">%s%s</p>\n</section>')
        :format(run_words(suite), suite.machine ~= machine
            and " On " .. escape(suite.machine) .. "." or ""))
end

-- How many targets are reached, and a list of those that are not.
local function summary(list, out)
    local judged, missed = 0, {}
    for _, suite in ipairs(list) do
        for _, figure in ipairs(suite.figures) do
            judged = judged + (figure.met ~= nil and 1 or 0)
            if figure.met == false then
                table.insert(missed, ('<li><a href="#%s">%s</a>: %s</li>')
                    :format(escape(suite.name), escape(suite.name),
                        caption(suite, figure)))
            end
        end
    end
    table.insert(out, ("<p><b>%d of %d targets reached.</b>%s</p>")
        :format(judged - #missed, judged, #missed > 0 and " Missed:" or ""))
    if #missed > 0 then
        table.insert(out, "<ul>\n" .. table.concat(missed, "\n") .. "\n</ul>")
    end
end

local function sample(form)
    return ('<svg aria-hidden="true" width="28" height="14">'
        .. '<rect class="bar %s" x="1" y="1" width="26" height="12"/></svg>')
        :format(form)
end

local function read(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return text
end

-- The page, of results by name in the order of `names`; the machine is that of
-- the last run: suites that were run on another one say so.
function chart.page(results, names, machine)
    local list = {}
    for _, name in ipairs(names) do
        table.insert(list, results[name])
    end
    local out = { HEAD:format(read(STYLE), svg.patterns)
        .. '<p class="machine">' .. escape(machine) .. "</p>" }
    summary(list, out)
    table.insert(out, KEY:format(sample "reached", sample "missed",
        sample "plain"))
    for _, suite in ipairs(list) do
        section(suite, machine, out)
    end
    table.insert(out, "</body>\n</html>\n")
    return table.concat(out, "\n")
end

return chart
