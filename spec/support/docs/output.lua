-- output.lua: compares what a block has printed with what its document shows.
local output = {}

-- Blanks count as one, so that a tab may be shown as a space.
local function plain(line)
    return (line:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function lines_of(text)
    local lines = {}
    for line in text:gmatch "[^\n]+" do
        line = plain(line)
        if line ~= "" then
            lines[#lines + 1] = line
        end
    end
    return lines
end

-- A line as a pattern; "..." is anything.
local function pattern(line)
    line = plain(line):gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*")
    return "^" .. line .. "$"
end

-- Whether lines i... of `shown` are lines j... of `lines`; "..." alone is any
-- number of them.
local function equal(shown, i, lines, j)
    if i > #shown then
        return j > #lines
    elseif shown[i] == "..." then
        for from = j, #lines + 1 do
            if equal(shown, i + 1, lines, from) then
                return true
            end
        end
        return false
    end
    return lines[j] ~= nil and lines[j]:find(pattern(shown[i])) ~= nil
        and equal(shown, i + 1, lines, j + 1)
end

-- nil, or what is wrong.
function output.differs(shown, printed)
    if equal(lines_of(shown), 1, lines_of(printed), 1) then
        return nil
    end
    return ("the document shows\n%s\nand this was printed\n%s"):format(shown,
        printed)
end

-- What the comments "--> text" of a program say is printed, in this order among
-- its other lines: nil, or what is wrong.
function output.lacks(program, printed)
    local lines, at = lines_of(printed), 0
    for comment in program:gmatch "%-%->[ ]([^\n]+)" do
        local wanted = pattern(comment)
        repeat
            at = at + 1
        until not lines[at] or lines[at]:find(wanted)
        if not lines[at] then
            return ("not printed: %s\nbut\n%s"):format(comment, printed)
        end
    end
    return nil
end

return output
