--- Dates of HTTP headers (RFC 9110, section 5.6.7).
-- @module quoll.http.syntax.date

local date = {}

local floor = math.floor
local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local LONG_DAYS = { Sunday = true, Monday = true, Tuesday = true,
  Wednesday = true, Thursday = true, Friday = true, Saturday = true }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
  "Oct", "Nov", "Dec" }
local LENGTHS = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local short_days, month_numbers = {}, {}
for _, name in ipairs(DAYS) do
  short_days[name] = true
end
for i, name in ipairs(MONTHS) do
  month_numbers[name] = i
end

--- A time as a header gives it, in any locale.
-- @number time seconds since 1970; a fraction is dropped
-- @treturn string "Sun, 06 Nov 1994 08:49:37 GMT"
function date.format(time)
  local t = os.date("!*t", floor(time))
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(DAYS[t.wday], t.day,
    MONTHS[t.month], t.year, t.hour, t.min, t.sec)
end

-- Days from 1970-01-01 to a day of the Gregorian calendar; years from March
-- on, so that the leap day is the last.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + floor(year / 4) - floor(year / 100) + floor(year / 400)
    + floor((153 * (month - 3) + 2) / 5) + day - 719469
end

local function leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

local function seconds(year, name, day, hour, min, sec)
  local month = month_numbers[name]
  if not month or day < 1 or day > LENGTHS[month]
    or day == 29 and month == 2 and not leap(year)
    or hour > 23 or min > 59 or sec > 60 then
    return nil
  end
  return ((days(year, month, day) * 24 + hour) * 60 + min) * 60 + sec
end

-- Two digits: the year that is at most 50 years ahead.
local function whole_year(digits)
  local now = os.date("!*t").year
  local year = now - now % 100 + digits
  return year > now + 50 and year - 100 or year
end

local n = tonumber

--- Reads a date in each of the three forms that a recipient has to know:
-- "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" and
-- "Sun Nov  6 08:49:37 1994".
-- @string text
-- @treturn ?number whole seconds since 1970; nil: it is none
function date.parse(text)
  local name, day, month, year, hour, min, sec = text:match
    "^(%a+), (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if short_days[name] then
    return seconds(n(year), month, n(day), n(hour), n(min), n(sec))
  end
  name, day, month, year, hour, min, sec = text:match
    "^(%a+), (%d%d)%-(%a%a%a)%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if LONG_DAYS[name] then
    return seconds(whole_year(n(year)), month, n(day), n(hour), n(min), n(sec))
  end
  name, month, day, hour, min, sec, year = text:match
    "^(%a+) (%a%a%a) ([%d ]%d) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$"
  if short_days[name] then
    return seconds(n(year), month, n(day), n(hour), n(min), n(sec))
  end
  return nil
end

return date
