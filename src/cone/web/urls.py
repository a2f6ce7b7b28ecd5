"""Addresses of the pages."""

from allauth.account import views as accounts
from django.urls import URLPattern, URLResolver, path

from cone.web.views import (
    customers,
    dashboard,
    firm,
    integrations,
    invoice_form,
    invoices,
    manage,
    payments,
    runs,
    services,
    signed_in,
    sync,
    team,
)
from cone.web.views import settings as settings_views

_ACCOUNTS: list[URLPattern] = [
    path("accounts/login/", accounts.login, name="account_login"),
    path("accounts/signed-in", signed_in.signed_in, name="signed_in"),
    path("accounts/logout/", accounts.logout, name="account_logout"),
    path("accounts/signup/", accounts.signup, name="account_signup"),
    path("accounts/inactive/", accounts.account_inactive, name="account_inactive"),
    path("accounts/password/change/", accounts.password_change, name="account_change_password"),
    path("accounts/password/reset/", accounts.password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", accounts.password_reset_done, name="account_reset_password_done"),
    path(
        "accounts/password/reset/key/<str:uidb36>-<str:key>/",
        accounts.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        accounts.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

_BOOKS: list[URLPattern] = [
    path("", dashboard.dashboard, name="dashboard"),
    path("invoices", invoices.invoices, name="invoices"),
    path("invoices/new", invoice_form.invoice_new, name="invoice_new"),
    path("invoices/<uuid:uuid>", invoices.invoice, name="invoice"),
    path("invoices/<uuid:uuid>/edit", invoice_form.invoice_edit, name="invoice_edit"),
    path("invoices/<uuid:uuid>/issue", invoices.invoice_issue, name="invoice_issue"),
    path("invoices/<uuid:uuid>/number", invoices.invoice_number, name="invoice_number"),
    path("invoices/<uuid:uuid>/take-number", invoices.invoice_take_number, name="invoice_take_number"),
    path("invoices/<uuid:uuid>/sent", invoices.invoice_sent, name="invoice_sent"),
    path("invoices/<uuid:uuid>/removed", invoices.invoice_removed, name="invoice_removed"),
    path("invoices/<uuid:uuid>/payments", invoices.invoice_payment, name="invoice_payment"),
    path(
        "invoices/<uuid:uuid>/payments/<uuid:payment>/void", invoices.invoice_payment_void, name="invoice_payment_void"
    ),
    *(
        path(f"invoices/<uuid:uuid>/{act}", invoices.invoice_confirm, {"act": act}, name=f"invoice_{act}")
        for act in invoices.CONFIRMATIONS
    ),
    path("payments", payments.payments, name="payments"),
    path("payments/new", payments.payment_new, name="payment_new"),
    path("payments/<uuid:uuid>", payments.payment, name="payment"),
    path("payments/<uuid:uuid>/edit", payments.payment_edit, name="payment_edit"),
    path("payments/<uuid:uuid>/void", payments.payment_void, name="payment_void"),
    path("payments/<uuid:uuid>/removed", payments.payment_removed, name="payment_removed"),
    path("customers", customers.customers, name="customers"),
    path("customers/new", customers.customer_new, name="customer_new"),
    path("customers/<uuid:uuid>", customers.customer, name="customer"),
    path("customers/<uuid:uuid>/edit", customers.customer_edit, name="customer_edit"),
    path("customers/<uuid:uuid>/link", customers.customer_link, name="customer_link"),
    path("customers/<uuid:uuid>/look-for", customers.customer_look_for, name="customer_look_for"),
    path("customers/<uuid:uuid>/make-anew", customers.customer_make_anew, name="customer_make_anew"),
    path("customers/<uuid:uuid>/suffix", customers.customer_suffix, name="customer_suffix"),
    path("customers/<uuid:uuid>/archive", customers.customer_archive, name="customer_archive"),
    path("customers/<uuid:uuid>/restore", customers.customer_restore, name="customer_restore"),
    path("services", services.services, name="services"),
    path("services/new", services.service_new, name="service_new"),
    path("services/<uuid:uuid>/edit", services.service_edit, name="service_edit"),
    path("services/<uuid:uuid>/archive", services.service_archive, name="service_archive"),
    path("services/<uuid:uuid>/restore", services.service_restore, name="service_restore"),
    path("sync/history", sync.sync_history, name="sync_history"),
    path("sync/<slug:kind>/<uuid:uuid>", sync.sync_panel, name="sync_panel"),
    path("sync/<slug:kind>/<uuid:uuid>/choose", sync.sync_choose, name="sync_choose"),
    path("sync/<slug:kind>/<uuid:uuid>/now", sync.sync_now, name="sync_now"),
]

_SETTINGS: list[URLPattern] = [
    path("settings", settings_views.settings_home, name="settings"),
    path("settings/tax-rates", settings_views.tax_rates, name="tax_rates"),
    path("settings/tax-rates/<uuid:uuid>", settings_views.tax_rate_edit, name="tax_rate_edit"),
    path("settings/tax-rates/<uuid:uuid>/archive", settings_views.tax_rate_archive, name="tax_rate_archive"),
    path("settings/services", services.settings_services, name="settings_services"),
    path("settings/workspace", settings_views.workspace, name="workspace"),
    path("settings/team", team.team, name="team"),
    path("settings/team/<int:member_id>/role", team.member_role, name="member_role"),
    path("settings/team/<int:member_id>/remove", team.member_remove, name="member_remove"),
    path(
        "settings/team/invitations/<int:invitation_id>/withdraw", team.invitation_withdraw, name="invitation_withdraw"
    ),
    path("settings/integrations", integrations.integrations, name="integrations"),
    path("settings/integrations/flow", integrations.flow, name="integrations_flow"),
    path("settings/integrations/preview", runs.preview, name="preview"),
    path("settings/integrations/runs", runs.runs, name="runs"),
    path("settings/integrations/runs/start", runs.run_start, name="run_start"),
    path("settings/integrations/runs/<uuid:uuid>", runs.run, name="run"),
    path("settings/integrations/runs/<uuid:uuid>/progress", runs.run_progress, name="run_progress"),
    path("settings/integrations/runs/<uuid:uuid>/cancel", runs.run_cancel, name="run_cancel"),
    path("settings/integrations/runs/<uuid:uuid>/undo", runs.run_undo, name="run_undo"),
    path("settings/integrations/pause", integrations.pause, name="pause"),
    path("settings/integrations/compared", integrations.compared, name="compared"),
    path("settings/integrations/resume", integrations.resume, name="resume"),
    path("settings/integrations/sync", integrations.sync_everything, name="sync_everything"),
    path("settings/integrations/try-writing", integrations.try_writing, name="try_writing"),
    path("settings/integrations/disconnect", integrations.disconnect, name="disconnect"),
    path("settings/integrations/manage", manage.manage, name="manage"),
    path("settings/integrations/manage/tax", manage.save_mappings, name="manage_tax"),
    path("settings/integrations/manage/accounts", manage.save_account_choices, name="manage_accounts"),
    path("settings/integrations/manage/terms", manage.save_term_choices, name="manage_terms"),
    path("settings/integrations/manage/refresh", manage.refresh, name="manage_refresh"),
    path("settings/integrations/manage/removals", manage.save_removals, name="manage_removals"),
    path("settings/integrations/<slug:provider>/connect", integrations.connect, name="connect"),
    path("settings/integrations/<slug:provider>/callback", integrations.callback, name="callback"),
]

_FIRM: list[URLPattern] = [
    path("firm/new", firm.firm_new, name="firm_new"),
    path("firm/new/choices", firm.firm_choices, name="firm_choices"),
    path("firm/switch", firm.firm_switch, name="firm_switch"),
    path("invitations/<str:token>", team.invitation, name="invitation"),
]

urlpatterns: list[URLPattern | URLResolver] = [*_ACCOUNTS, *_BOOKS, *_SETTINGS, *_FIRM]
