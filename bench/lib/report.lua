-- What the benchmarks found, one row per figure, with its target; and the table
-- that is printed of it.
local report = {}
local Report = {}
Report.__index = Report

local COLUMNS = { "figure", "measured", "against", "ratio", "target", "" }

function report.new()
    return setmetatable({ suites = {}, ratios = {}, limits = {} }, Report)
end

-- The rows that follow are this benchmark's; what is kept of it.
function Report:begin(benchmark)
    local suite = {
        name = benchmark.name,
        what = benchmark.what,
        peers = benchmark.peers or {},
        missing = {},
        figures = {},
    }
    table.insert(self.suites, suite)
    self.suite = suite
    return suite
end

-- Whether a row meets its target; nil when it has none.
local function met(row)
    local judged = row.judged ~= "measured" and row.ratio or row.measured
    if row.most then
        return judged <= row.most
    elseif row.least then
        return judged >= row.least
    end
end

-- row: what, measured, against (a figure, for show), ratio, low and high (of
-- the rounds), and of the ratio the `most` or `least`: of what was measured
-- where there is no ratio or `judged` is "measured". The ratio of a row with a
-- `key`, or what was measured, is kept in report.ratios, and its `most` in
-- report.limits.
function Report:add(row)
    if row.key then
        self.ratios[row.key] = row.ratio or row.measured
        if not row.ratio or row.judged ~= "measured" then
            self.limits[row.key] = row.most
        end
    end
    row.met = met(row)
    table.insert(self.suite.figures, row)
end

-- A row of NAME beside another, out of samples of both.
function Report:compare(samples, name, base, row)
    row.measured = samples:median(name)
    row.against = samples:median(base)
    row.ratio = samples:ratio(name, base)
    row.low, row.high = samples:spread(name, base)
    self:add(row)
end

-- A peer that cannot be had; told once, however often it was asked for.
function Report:skip(name, why)
    for _, peer in ipairs(self.suite.missing) do
        if peer.name == name then
            return
        end
    end
    table.insert(self.suite.missing, { name = name, why = tostring(why) })
end

local function number(value)
    if type(value) ~= "number" then
        return value or ""
    end
    return string.format(math.abs(value) >= 100 and "%.0f" or "%.2f", value)
end

local VERDICT = { [true] = "met", [false] = "MISSED" }

local function cells(row)
    return {
        row.what,
        number(row.measured),
        number(row.against),
        number(row.ratio),
        row.most and "<= " .. row.most or row.least and ">= " .. row.least
            or "",
        VERDICT[row.met] or "",
    }
end

local function widths(rows)
    local width = {}
    for _, row in ipairs(rows) do
        for i, cell in ipairs(row) do
            width[i] = math.max(width[i] or 0, #cell)
        end
    end
    return width
end

-- The rows as cells, and how many targets there are, and were met.
function Report:table()
    local rows, judged, reached = { COLUMNS }, 0, 0
    for _, suite in ipairs(self.suites) do
        for _, row in ipairs(suite.figures) do
            table.insert(rows, cells(row))
            judged = judged + (row.met ~= nil and 1 or 0)
            reached = reached + (row.met and 1 or 0)
        end
        for _, peer in ipairs(suite.missing) do
            table.insert(rows, { ("%s: %s: skipped, %s"):format(suite.name,
                peer.name, peer.why), "", "", "", "", "" })
        end
    end
    return rows, judged, reached
end

-- The table as text, under a line that says how it was measured.
function Report:text(how)
    local rows, judged, reached = self:table()
    local width = widths(rows)
    local lines = {}
    for n, row in ipairs(rows) do
        local columns = {}
        for i, cell in ipairs(row) do
            local left = i == 1 or i == #row
            local space = (" "):rep(width[i] - #cell)
            columns[i] = left and cell .. space or space .. cell
        end
        lines[n] = table.concat(columns, "  "):gsub("%s+$", "")
    end
    table.insert(lines, 2, ("-"):rep(#lines[1]))
    return ("%s\n%s\n%d of %d targets met\n"):format(how,
        table.concat(lines, "\n"), reached, judged)
end

return report
