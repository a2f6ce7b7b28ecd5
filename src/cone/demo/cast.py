"""The demo firm's invented customers and services. Any likeness to a real business is an accident."""

from decimal import Decimal

from cone.domain.customers import CustomerInput
from cone.domain.services import ServiceInput
from cone.domain.tax_rates import TaxRateInput

FIRM = "Hartley & Rowe Accountants"
RATES = (
    TaxRateInput("VAT 20%", Decimal(20)),
    TaxRateInput("VAT 5%", Decimal(5)),
    TaxRateInput("VAT 0%", Decimal(0)),
)
# Name and price of each service, and the percentage usually charged.
SERVICES = (
    (ServiceInput("Bookkeeping", "Bank, sales and purchase ledgers kept up to date.", Decimal(48)), 20),
    (ServiceInput("Year-end accounts", "Statutory accounts, filed with Companies House.", Decimal(1450)), 20),
    (ServiceInput("Corporation tax return", "CT600 with computations.", Decimal(520)), 20),
    (ServiceInput("Self-assessment return", "Personal tax return and payment plan.", Decimal("285.00")), 20),
    (ServiceInput("Payroll bureau", "Per payslip, with RTI submission.", Decimal("6.75")), 20),
    (ServiceInput("VAT return", "Quarterly return under Making Tax Digital.", Decimal(165)), 20),
    (ServiceInput("Management accounts", "Monthly pack with commentary.", Decimal(395)), 20),
    (ServiceInput("Advisory hour", "A partner's time.", Decimal(180)), 20),
    (ServiceInput("Audit day", "Fieldwork, two people.", Decimal(1180)), 20),
    (ServiceInput("Energy-saving grant review", "Review of a grant for insulation works.", Decimal(340)), 5),
    (ServiceInput("Printed handbook", "Payroll handbook for employers, printed.", Decimal("24.50")), 0),
    (ServiceInput("Company secretarial", "Confirmation statement and registers.", Decimal("118.75")), 20),
)

_PEOPLE = (
    "Aoife O'Brien|Bristol|BS1 4ND",
    "J. Smith|Leeds|LS1 5HD",
    "J. Smith|Cardiff|CF10 1EP",
    "Zoë Fairweather|Bath|BA1 2LR",
    "Siân Pritchard-Vaughan|Swansea|SA1 3SN",
    "Łukasz Wiśniewski|Reading|RG1 2AG",
    "Renée D’Arcy|Oxford|OX1 3BQ",
    "Dr Ngozi Okonkwo-Adeyemi|Manchester|M1 4BT",
    "Mehmet Çelik|London|N16 8BX",
    "Ingrid Ødegård|Aberdeen|AB10 1XG",
)
_BUSINESSES = (
    "Ashdown Timber Ltd|Lewes|BN7 1UG",
    "Barley & Finch Bakery|Norwich|NR2 1TF",
    "Beacon Hill Veterinary Practice|Exeter|EX4 3LS",
    "Blackthorn Civil Engineering Ltd|Derby|DE1 2GU",
    "Brightwater Dental Care|Plymouth|PL1 1LA",
    "Café Délices|Edinburgh|EH1 1RE",
    "Calder Valley Cycles|Hebden Bridge|HX7 8AD",
    "Carrick Joinery|Truro|TR1 2HX",
    "Copperfield Lettings|Rochester|ME1 1LX",
    "Dunmore Distillery plc|Inverness|IV1 1QY",
    "Eastgate Physiotherapy|Lincoln|LN2 4AD",
    "Elmbridge Nursery School|Esher|KT10 9SD",
    "Fenwick & Daughters Upholstery|Durham|DH1 3NJ",
    "Foxglove Garden Design|Cheltenham|GL50 1QA",
    "Garnet Street Studios|Glasgow|G1 1XQ",
    "Greyfriars Solicitors LLP|Chester|CH1 2HQ",
    "Harbour Light Boatyard|Falmouth|TR11 3JQ",
    "Hollins Brook Farm|Settle|BD24 9DJ",
    "Ironbridge Foundry Ltd|Telford|TF8 7DQ",
    "Jüngling Optik UK Ltd|Cambridge|CB2 1TN",
    "Kestrel Aviation Services Ltd|Farnborough|GU14 6XA",
    "King's Parade Books|Cambridge|CB2 1SJ",
    "Larkspur Homecare|Shrewsbury|SY1 1SZ",
    "Lighthouse Media Collective CIC|Brighton|BN1 1EE",
    "Maison Fournier Imports|London|SE1 9AL",
    "Marlow Rowing Outfitters|Marlow|SL7 1NL",
    "Millstone Brewery|Huddersfield|HD1 2JF",
    "Nettlefold Screw Works|Birmingham|B5 5JR",
    "Northgate Scaffolding|Darlington|DL1 1JN",
    "Old Quay Seafoods|Whitby|YO21 3PU",
    "Orchard & Vine Catering|Hereford|HR1 2BL",
    "Pemberton Haulage Ltd|Wigan|WN1 1HL",
    "Quillfeather Press|Hay-on-Wye|HR3 5DB",
    "Redcliffe Community Theatre|Bristol|BS1 6SZ",
    "Saltmarsh Ecology|King’s Lynn|PE30 1JW",
    "Señor Pájaro Coffee Roasters|Liverpool|L1 4DQ",
    "Tamar Bridge Motors|Saltash|PL12 4DL",
    (
        "The Worshipful Guild of Restorers, Gilders, Carvers, Framers and Allied Crafts of the City and County of "
        "Northampton (Registered Charity), Benevolent and Education Fund|Northampton|NN1 1DE"
    ),
    "Umber & Ochre Interiors|Harrogate|HG1 2RQ",
    "Wren Street Yoga|London|WC1X 0HB",
)


def demo_customers() -> tuple[CustomerInput, ...]:
    """Return the customers, people first; every tenth has no e-mail address."""
    return tuple(_customer(position, entry) for position, entry in enumerate(_PEOPLE + _BUSINESSES))


def _customer(position: int, entry: str) -> CustomerInput:
    name, city, postal_code = entry.split("|")
    is_business = position >= len(_PEOPLE)
    return CustomerInput(
        name=name,
        email="" if position % 10 == 7 else f"accounts{position + 1}@customers.example",
        phone=f"01632 960{position + 100}",
        tax_number=f"GB{100_000_000 + position * 7_654_321}" if is_business and position % 3 else "",
        address_line1=f"{position * 3 + 1} {('High Street', 'Station Road', 'Mill Lane', 'Church Row')[position % 4]}",
        city=city,
        postal_code=postal_code,
        country="GB",
        currency="GBP",
    )
