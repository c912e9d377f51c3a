-- The table that is printed: one row per figure, with its target.
local report = {}
local Report = {}
Report.__index = Report

local COLUMNS = { "figure", "measured", "against", "ratio", "target", "" }

function report.new()
    return setmetatable({ rows = {}, ratios = {}, judged = 0, missed = 0 },
        Report)
end

local function number(value)
    if type(value) ~= "number" then
        return value or ""
    end
    return string.format(math.abs(value) >= 100 and "%.0f" or "%.2f", value)
end

local function verdict(row, judged)
    if row.most then
        return "<= " .. row.most, judged <= row.most
    elseif row.least then
        return ">= " .. row.least, judged >= row.least
    end
    return "", nil
end

-- row: what, measured, against (a figure, for show), ratio, and of the judged
-- one (row.judged, else the ratio, else measured) the `most` or `least`. The
-- ratio of a row with a `key` is kept in report.ratios.
function Report:add(row)
    if row.key then
        self.ratios[row.key] = row.ratio
    end
    local target, met = verdict(row, row.judged or row.ratio or row.measured)
    if met ~= nil then
        self.judged = self.judged + 1
        self.missed = self.missed + (met and 0 or 1)
    end
    table.insert(self.rows, {
        row.what,
        number(row.measured),
        number(row.against),
        number(row.ratio),
        target,
        met == nil and "" or met and "met" or "MISSED",
    })
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

-- The table as text, under a line that says how it was measured.
function Report:text(how)
    local rows = { COLUMNS, unpack(self.rows) }
    local width = widths(rows)
    local lines = {}
    for n, row in ipairs(rows) do
        local cells = {}
        for i, cell in ipairs(row) do
            local left = i == 1 or i == #row
            local space = (" "):rep(width[i] - #cell)
            cells[i] = left and cell .. space or space .. cell
        end
        lines[n] = table.concat(cells, "  "):gsub("%s+$", "")
    end
    table.insert(lines, 2, ("-"):rep(#lines[1]))
    local judged = string.format("%d of %d targets met", self.judged
        - self.missed, self.judged)
    return table.concat({ how, unpack(lines) }, "\n") .. "\n" .. judged .. "\n"
end

return report
